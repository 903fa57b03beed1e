import { streamScript } from '../script.ts'
import type { Scripts } from '../script.ts'
import { toText, toUnicode } from './texts.ts'

/** Presets of the common options: name → what it is, and the options. */
const PRESETS: Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>> = {
  comments: ['Comments, pings and empty events in between.', { comments: '1' }],
  crlf: ['Lines end with CR LF.', { eol: 'crlf' }],
  cr: ['Lines end with a lone CR.', { eol: 'cr' }],
  'no-space': ['No blank behind `data:`.', { space: '0' }],
  'data-lines': ['The JSON of each event stands on several data lines.', { multiline: '1' }],
  'no-blank-lines': ['No empty line between events.', { blank: '0' }],
  'native-lines': [
    'Lines with id, event and status before the data, and no blank behind `data:`.',
    { lines: 'native', space: '0' },
  ],
  'one-byte': ['One byte in each write.', { split: '1' }],
  'one-write': ['More than 64 KiB in a single write.', { words: '400', batch: '1000000' }],
}

/** Ordinary answers, in every way in which they can be put on the wire. */
export const FRAMINGS: Scripts = {
  ...Object.fromEntries(
    Object.entries(PRESETS).map(([name, [summary, defaults]]) => [name, streamScript(summary, toText, { defaults })]),
  ),
  'split-characters': streamScript('Writes end within characters, at each place where that can be.', toUnicode, {
    recut: withinCharacters,
    apart: true,
  }),
}

/** The same bytes, cut before each byte that goes on with a character. */
function* withinCharacters(writes: Iterable<Buffer>): Generator<Buffer> {
  for (const write of writes) {
    let from = 0
    for (const [at, byte] of write.entries()) {
      if ((byte & 0xc0) !== 0x80 || at === 0) continue
      yield write.subarray(from, at)
      from = at
    }
    yield write.subarray(from)
  }
}
