import { toDelta, toStream, toText } from '../chunks.ts'
import type { Part } from '../chunks.ts'
import type { Ask, Scenarios, StreamEvent } from '../scenario.ts'
import { chatScenario } from './chat-scenario.ts'

const MEBIBYTE = 1024 * 1024

const FILLING = Buffer.alloc(64 * 1024, 'x')

/** Streams that are too much in one way or another. */
export const LARGE_STREAMS: Scenarios = {
  'big-event': chatScenario(
    'One event of a given size in mid-stream.',
    ask => toStream(ask, around('x'.repeat(ask.options.number('bytes', MEBIBYTE)))),
    { options: { bytes: 'how much text it has (1 MiB)' }, whole: toText },
  ),
  'big-line': chatScenario('A data line that does not end until the body does.', bigLine, {
    options: { bytes: 'its bytes (64 MiB)' },
    defaults: { done: '0' },
    whole: toText,
  }),
  'big-comment': chatScenario(
    'One comment of a given size, then an ordinary answer.',
    ask => behindComment(ask, ask.options.number('bytes', 64 * MEBIBYTE)),
    { options: { bytes: 'its bytes (64 MiB)' }, whole: toText },
  ),
  'many-data-lines': chatScenario('Data lines of one event that is never completed.', manyDataLines, {
    options: { bytes: 'how much they hold (8 MiB)' },
    defaults: { done: '0' },
    whole: toText,
  }),
  tiny: chatScenario('Very many very small events.', ask => toStream(ask, tiny(ask)), {
    options: { count: 'how many (100000)' },
    whole: toText,
  }),
}

function* around(text: string): Generator<Part> {
  for (const content of ['before ', text, ' after']) yield { delta: { content } }
}

/** `bytes` of filling, all but the last of them in one and the same buffer. */
function* filling(bytes: number): Generator<StreamEvent> {
  let left = bytes
  for (; left >= FILLING.length; left -= FILLING.length) yield { bytes: FILLING }
  yield { bytes: FILLING.subarray(0, left) }
}

function* bigLine(ask: Ask): Generator<StreamEvent> {
  yield toDelta(ask, { role: 'assistant', content: 'before' })
  yield { bytes: 'data: ' }
  yield* filling(ask.options.number('bytes', 64 * MEBIBYTE))
}

/** The text, and before it a comment of so many bytes. */
export function* behindComment(ask: Ask, bytes: number): Generator<StreamEvent> {
  yield { bytes: ': ' }
  yield* filling(bytes)
  yield { bytes: '\n\n' }
  yield* toText(ask)
}

function* manyDataLines(ask: Ask): Generator<StreamEvent> {
  const lines = Buffer.from(`data: ${'x'.repeat(1017)}\n`.repeat(64))
  yield toDelta(ask, { role: 'assistant', content: 'before' })
  for (let left = ask.options.number('bytes', 8 * MEBIBYTE); left > 0; left -= lines.length) yield { bytes: lines }
}

function* tiny(ask: Ask): Generator<Part> {
  for (let left = ask.options.number('count', 100_000); left > 0; left--) yield { delta: { content: 'a' } }
}
