import { toDelta, toParts, toStream, toText } from '../chunks.ts'
import type { Part } from '../chunks.ts'
import type { Ask, Scenarios, StreamEvent } from '../scenario.ts'
import { resized, textPieces } from '../words.ts'
import { chatScenario } from './chat-scenario.ts'

const UNICODE = [
  '龙骑士在河边磨面。',
  ' 👩‍🚀🌾',
  ' line\u2028separator',
  ' paragraph\u2029separator',
  ' next\u0085line',
  ' e\u0301a\u030A',
  ' مرحبا بالعالم',
  ' שלום',
  ' 𝄞𠜎',
  ' tab\tquote"backslash\\newline\n',
  '\u0000\u001b',
]

/** Answers without a fault, as the service itself gives them. */
export const PLAIN: Scenarios = {
  text: chatScenario('An ordinary answer; every unknown name means this one.', ask => toText(ask)),
  echo: chatScenario(
    'The last user message, word by word.',
    ask => toStream(ask, toParts(resized(ask.prompt.match(/\s*\S+|\s+$/g) ?? [], ask.options))),
    { varies: true },
  ),
  reasoning: chatScenario('Thinking first, then the answer.', reasoning, {
    options: { field: 'where the thinking is: reasoning, reasoning_content, both (reasoning_content)' },
  }),
  choices: chatScenario(
    'As many choices as the request asks for, in turns.',
    ask => toText(ask, Math.max(1, ask.options.number('n', ask.choices === 1 ? 2 : ask.choices))),
    { options: { n: 'how many, whatever the request says (2 where it says 1)' } },
  ),
  logprobs: chatScenario('Every piece of text with its log probabilities.', ask => toStream(ask, withLogprobs(ask))),
  unicode: chatScenario('Scripts, emoji, combining and control characters, and raw U+2028, U+2029, U+0085.', ask =>
    toStream(ask, toParts(resized(UNICODE, ask.options))),
  ),
  refusal: chatScenario('A refusal instead of content.', ask =>
    toStream(ask, toParts(textPieces(ask.options), 'refusal')),
  ),
  cumulative: chatScenario('Every delta repeats the whole text so far.', cumulative, { whole: toText }),
}

function reasoning(ask: Ask): Iterable<StreamEvent> {
  const field = ask.options.oneOf('field', ['reasoning_content', 'reasoning', 'both'], 'reasoning_content')
  const members = field === 'both' ? ['reasoning', 'reasoning_content'] : [field]
  const toThought = (piece: string): object => Object.fromEntries(members.map(member => [member, piece]))
  function* parts(): Generator<Part> {
    for (const piece of textPieces(ask.options, 3)) yield { delta: toThought(piece) }
    yield* toParts(textPieces(ask.options))
  }
  return toStream(ask, parts())
}

function* withLogprobs(ask: Ask): Generator<Part> {
  for (const content of textPieces(ask.options)) {
    const token = { token: content, logprob: -0.25, bytes: [...Buffer.from(content)] }
    yield { delta: { content }, logprobs: { content: [{ ...token, top_logprobs: [token] }], refusal: null } }
  }
}

function* cumulative(ask: Ask): Generator<StreamEvent> {
  const pieces = [...textPieces(ask.options)]
  yield toDelta(ask, { role: 'assistant', content: '' })
  for (const at of pieces.keys()) yield toDelta(ask, { content: pieces.slice(0, at + 1).join('') })
  yield toDelta(ask, {}, 'stop')
}
