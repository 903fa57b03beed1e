import type { StreamEvent } from '../../scenario.ts'
import { resized } from '../../words.ts'
import { argumentPieces, TOOL_OPTIONS } from '../../scenarios/tool-call.ts'
import type { ToolCall } from '../../scenarios/tool-call.ts'
import {
  callChoices,
  closingChoice,
  textChoices,
  thinkingChoices,
  thoughtsOf,
  toChoice,
  toQwenCall,
  toStream,
  withRole,
} from '../chunks.ts'
import type { QwenAsk, QwenChoice } from '../chunks.ts'
import { streamScript } from '../script.ts'
import type { Script, Scripts } from '../script.ts'
import { toText } from './texts.ts'

/** A way of writing two calls. */
interface Variant {
  readonly summary: string
  /** The `tool_calls` of each delta of call number `index`. */
  readonly deltas: (call: SaidCall, index: number) => readonly (readonly object[])[]
  /** All deltas are one. */
  readonly together?: true
  readonly finish?: string
}

interface SaidCall extends ToolCall {
  readonly pieces: readonly string[]
}

const type = 'function'

/** The head of a call, then its arguments; `beside` is what stands with each piece of them. */
function inPieces(call: SaidCall, head: object, beside: object): object[][] {
  return [
    [{ ...head, type, function: { name: call.name, arguments: '' } }],
    ...call.pieces.map(piece => [{ ...beside, type, function: { arguments: piece } }]),
  ]
}

function usual(call: SaidCall, index: number): object[][] {
  return inPieces(call, { index, id: call.id }, { index, id: '' })
}

function atOnce({ id, name }: SaidCall, index: number, args: string): object[][] {
  return [[{ index, id, type, function: { name, arguments: args } }]]
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  'tools-reused-index': { summary: 'Two calls at index 0.', deltas: call => usual(call, 0) },
  'tools-null-arguments': {
    summary: 'Arguments are null at first and at last.',
    deltas: (call, index) => {
      const [, ...pieces] = usual(call, index)
      return [
        [{ index, id: call.id, type, function: { name: call.name, arguments: null } }],
        ...pieces,
        [{ function: { arguments: null }, index, id: '', type }],
      ]
    },
  },
  'tools-repeated-id': {
    summary: 'The id stands in every delta.',
    deltas: (call, index) => inPieces(call, { index, id: call.id }, { index, id: call.id }),
  },
  'tools-no-index': {
    summary: 'No index at all.',
    deltas: call => inPieces(call, { id: call.id }, { id: '' }),
  },
  'tools-sparse-index': { summary: 'Indexes 0 and 2.', deltas: (call, index) => usual(call, index * 2) },
  'tools-late-name': {
    summary: 'The name comes behind the first arguments.',
    deltas: ({ id, name, pieces: [first = '', ...rest] }, index) => [
      [{ index, id, type, function: { arguments: first } }],
      [{ index, id: '', type, function: { name, arguments: '' } }],
      ...rest.map(piece => [{ index, id: '', type, function: { arguments: piece } }]),
    ],
  },
  'tools-repeated-name': {
    summary: 'The name stands in every delta.',
    deltas: ({ id, name, pieces }, index) =>
      pieces.map((piece, at) => [{ index, id: at === 0 ? id : '', type, function: { name, arguments: piece } }]),
  },
  'tools-whole': {
    summary: 'Each call in one delta, a blank before its arguments.',
    deltas: (call, index) => atOnce(call, index, ` ${call.arguments}`),
  },
  'tools-together': {
    summary: 'Both calls in one delta.',
    deltas: (call, index) => atOnce(call, index, call.arguments),
    together: true,
  },
  'tools-truncated': {
    summary: 'The last arguments are cut short, though the finish reason says nothing of it.',
    deltas: (call, index) => usual(call, index).slice(0, index === 1 ? -1 : undefined),
  },
  'tools-finish-stop': { summary: 'The finish reason is `stop`.', deltas: usual, finish: 'stop' },
}

const QUOTED_CHARACTERS = 1000

/**
 * Calls of tools that the request offers; text where it offers none, or not that one. Once there are results the model tells
 * them, so that an agent's loop ends.
 */
export const TOOLS: Scripts = {
  tool: calling('One tool call; text that quotes its result, once that is there.', ask => oneAfterTheOther(ask, 1)),
  tools: calling(
    'Several tool calls, where the request lets them be parallel; one where not.',
    ask => oneAfterTheOther(ask, ask.parallel ? Math.max(1, ask.options.number('calls', 2)) : 1),
    { calls: 'how many (2)' },
  ),
  'tools-behind-text': calling('Text, then a tool call.', function* (ask) {
    const spoken = [...textChoices(ask)]
    yield* spoken.slice(0, -1)
    yield* calls(ask, 1)
    yield toChoice({}, 'tool_calls')
  }),
  'tools-as-text': calling('A call that is written out as text.', function* (ask) {
    const call = toQwenCall(ask)
    const body = `{"name": ${JSON.stringify(call.name)}, "arguments": ${call.arguments}}`
    yield* textChoices(ask, ['<tool_call>\n', body, '\n</tool_call>'])
  }),
  ...Object.fromEntries(Object.entries(VARIANTS).map(([name, variant]) => [name, loose(variant)])),
}

function calling(
  summary: string,
  choices: (ask: QwenAsk) => Iterable<QwenChoice>,
  options: Readonly<Record<string, string>> = {},
): Script {
  const events = (ask: QwenAsk): Iterable<StreamEvent> => {
    if (ask.results.length > 0) return toStream(ask, textChoices(ask, quotes(ask)))
    if (ask.tools.length === 0) return toText(ask)
    const { name } = toQwenCall(ask)
    if (ask.tools.includes(name)) return toStream(ask, choices(ask))
    return toStream(ask, textChoices(ask, [`There is no tool "${name}"; `, `there are: ${ask.tools.join(', ')}.`]))
  }
  return streamScript(summary, events, { options: { ...TOOL_OPTIONS, ...options } })
}

/** What tools gave, word by word; of much the beginning. */
function quotes({ results, options }: QwenAsk): Iterable<string> {
  const said = results.join('\n')
  const quoted = said.length > QUOTED_CHARACTERS ? `${said.slice(0, QUOTED_CHARACTERS).toWellFormed()}…` : said
  return resized(`The tool says: ${quoted}`.match(/\s*\S+|\s+/g) ?? [], options)
}

function* oneAfterTheOther(ask: QwenAsk, count: number): Generator<QwenChoice> {
  yield* behindThoughts(ask, calls(ask, count))
  yield toChoice({}, ask.options.text('finish', 'tool_calls'))
}

function* calls(ask: QwenAsk, count: number): Generator<QwenChoice> {
  for (let index = 0; index < count; index++) yield* callChoices(ask, index)
  yield closingChoice(count - 1)
}

/** Thoughts come first where there are any; the role is in the first delta in any case. */
function* behindThoughts(ask: QwenAsk, choices: Iterable<QwenChoice>): Generator<QwenChoice> {
  const thoughts = thoughtsOf(ask)
  if (thoughts.length > 0) {
    yield* thinkingChoices(thoughts)
    yield* choices
  } else yield* withRole(choices)
}

function loose({ summary, deltas, together, finish = 'tool_calls' }: Variant): Script {
  return calling(summary, function* (ask) {
    const all = [0, 1].flatMap(index => {
      const call = toQwenCall(ask, index)
      return deltas({ ...call, pieces: argumentPieces(ask, call) }, index)
    })
    const said = together ? [all.flat()] : all
    yield* behindThoughts(
      ask,
      said.map(tool_calls => toChoice({ content: null, tool_calls })),
    )
    yield toChoice(finish === 'stop' ? { content: '' } : {}, finish)
  })
}
