import type { StreamEvent } from '../../scenario.ts'
import { resized, textPieces } from '../../words.ts'
import { textChoices, thinkingChoices, thoughtsOf, toChoice, toStream } from '../chunks.ts'
import type { QwenAsk, QwenChoice } from '../chunks.ts'
import { streamScript } from '../script.ts'
import type { Scripts } from '../script.ts'

const LATE_BYTES = 2048
/** Characters of two, three and four bytes. */
const UNICODE = ['café — ', '你好，世界', ' 🍓🌾 ', 'Ωμέγα ', '𝄞𠜎', ' 👩‍🚀']

export function toText(ask: QwenAsk): Iterable<StreamEvent> {
  return toStream(ask, textChoices(ask))
}

/** Text and thoughts. */
export const TEXTS: Scripts = {
  text: streamScript(
    'An ordinary answer, with thinking where the model thinks. What all get that ask for nothing.',
    toText,
  ),
  reasoning: streamScript('Thinking first, whatever the model is.', ask => toText({ ...ask, thinks: true })),
  'reasoning-field': streamScript(
    'Thinking in the member `reasoning`.',
    function* (ask) {
      for (const { data } of toStream(ask, textChoices({ ...ask, thinks: true }))) {
        yield { data: JSON.stringify(data).replaceAll('"reasoning_content"', '"reasoning"') }
      }
    },
    { whole: ask => toText({ ...ask, thinks: true }) },
  ),
  'thinking-only': streamScript('Thinking uses up all tokens: no content, finish reason `length`.', ask =>
    toStream(ask, thinkingOnly(thoughtsOf({ ...ask, thinks: true }))),
  ),
  'think-tags': streamScript(
    'The thoughts stand between tags in the text.',
    ask => {
      const isOrphan = ask.options.flag('orphan', false)
      const words = isOrphan
        ? [...textPieces(ask.options), '\n</think>']
        : ['<think>', ...thoughtsOf({ ...ask, thinks: true }), '</think>\n\n', ...textPieces(ask.options)]
      return toStream(ask, textChoices(ask, words, []))
    },
    { options: { orphan: '1: only an end tag, behind the text (0)' } },
  ),
  unicode: streamScript('Characters of two, three and four bytes.', toUnicode),
  cumulative: streamScript('Each delta has all of the text so far, thoughts too.', ask => toStream(ask, grown(ask)), {
    whole: toText,
  }),
  'cumulative-late': streamScript(
    'New text for two kilobytes, then all of the text so far in each delta.',
    ask => toStream(ask, grown(ask, LATE_BYTES)),
    { defaults: { words: '600' }, whole: toText },
  ),
  rewind: streamScript(
    'All of the text so far in each delta, and every third is shorter than the one before.',
    ask => toStream(ask, rewound(grown(ask))),
    { whole: toText },
  ),
  repeats: streamScript('Ordinary deltas that begin like all text before them: nothing may be taken away.', ask =>
    toStream(ask, textChoices(ask, ['ha', 'haha', '\n', '\n', '\n\n', 'ha'])),
  ),
}

function* thinkingOnly(thoughts: readonly string[]): Generator<QwenChoice> {
  yield* thinkingChoices(thoughts)
  yield toChoice({ content: '', reasoning_content: null }, 'length')
}

export function toUnicode(ask: QwenAsk): Iterable<StreamEvent> {
  return toStream(ask, textChoices(ask, resized(UNICODE, ask.options)))
}

/** The ordinary choices; those with thoughts or content have all of it so far, once there is more than `from` of it. */
function* grown(ask: QwenAsk, from = 0): Generator<QwenChoice> {
  const known = { content: '', reasoning_content: '' }
  for (const choice of textChoices(ask)) {
    const delta = { ...choice.delta }
    for (const name of ['content', 'reasoning_content'] as const) {
      const piece = delta[name]
      if (typeof piece !== 'string' || piece === '') continue
      known[name] += piece
      if (known[name].length > from) delta[name] = known[name]
    }
    yield { ...choice, delta }
  }
}

/** Behind every third choice with text comes that with a shorter text again. */
function* rewound(choices: Iterable<QwenChoice>): Generator<QwenChoice> {
  let before: QwenChoice | undefined
  let count = 0
  for (const choice of choices) {
    yield choice
    if (!choice.delta?.['content']) continue
    if (++count % 3 === 0 && before !== undefined) yield before
    before = choice
  }
}
