import { OptionError } from '../../options.ts'
import type { AmazonQAsk } from '../ask.ts'
import { callEvents, piecesOf, quoteOf, textEvents, toCall, toolEvent } from '../events.ts'
import type { SaidCall } from '../events.ts'
import { streamScript } from '../script.ts'
import type { Script, Scripts } from '../script.ts'
import { withThoughts } from './texts.ts'

/** A way of saying a call that is not the usual one. */
interface Variant {
  readonly summary: string
  readonly events: (call: SaidCall) => Iterable<Buffer>
}

function toObject(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new OptionError('Option "arguments" must be JSON for this script.')
  }
}

function halfOf(text: string): string {
  return text.slice(0, Math.ceil(text.length / 2))
}

/** Each is a script, with two calls of that kind unless it says otherwise. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  'tools-whole': {
    summary: 'Two calls, each in one event with input and stop.',
    events: ({ id, name, arguments: input }) => [toolEvent(id, name, { input, stop: true })],
  },
  'tools-started': {
    summary: 'Two calls whose first event has input already.',
    events: ({ id, name, pieces }) => [
      ...pieces.map(input => toolEvent(id, name, { input })),
      toolEvent(id, name, { stop: true }),
    ],
  },
  'tools-object': {
    summary: 'Two calls with an object as input.',
    events: call => [
      toolEvent(call.id, call.name),
      toolEvent(call.id, call.name, { input: toObject(call.arguments) }),
      toolEvent(call.id, call.name, { stop: true }),
    ],
  },
  'tools-empty': {
    summary: 'Two calls without any input.',
    events: ({ id, name }) => [toolEvent(id, name), toolEvent(id, name, { stop: true })],
  },
  'tools-blank': {
    summary: 'Two calls with an empty text as input.',
    events: ({ id, name }) => [
      toolEvent(id, name),
      toolEvent(id, name, { input: '' }),
      toolEvent(id, name, { stop: true, input: '' }),
    ],
  },
  'tools-null': {
    summary: 'Two calls with null before and behind their input.',
    events: ({ id, name, arguments: input }) => [
      toolEvent(id, name, { input: null, stop: false }),
      toolEvent(id, name, { input, stop: null }),
      toolEvent(id, name, { input: null, stop: true }),
    ],
  },
  'tools-stopped-twice': {
    summary: 'Two calls that stop twice.',
    events: call => [...callEvents(call), toolEvent(call.id, call.name, { stop: true })],
  },
  'tools-repeated': {
    summary: 'Two calls that come twice each, with the same id.',
    events: call => [...callEvents(call), ...callEvents(call)],
  },
  'tools-unstopped': {
    summary: 'Two calls, neither of which stops though its input is whole.',
    events: call => [...callEvents(call)].slice(0, -1),
  },
  'tools-cut': {
    summary: 'Two calls that break off in their input.',
    events: ({ id, name, arguments: input }) => [toolEvent(id, name), toolEvent(id, name, { input: halfOf(input) })],
  },
  'tools-half': {
    summary: 'Two calls that stop in the middle of their input.',
    events: ({ id, name, arguments: input }) => [
      toolEvent(id, name),
      toolEvent(id, name, { input: halfOf(input) }),
      toolEvent(id, name, { stop: true }),
    ],
  },
  'tools-no-object': {
    summary: 'Two calls whose input is a list.',
    events: call => callEvents({ ...call, pieces: ['["Ber', 'lin"]'] }),
  },
  'tools-no-id': {
    summary: 'Two calls without an id.',
    events: ({ name, arguments: input }) => [
      toolEvent('', name),
      toolEvent('', name, { input }),
      toolEvent('', name, { stop: true }),
    ],
  },
  'tools-late-name': {
    summary: 'Two calls whose name comes last.',
    events: ({ id, name, arguments: input }) => [
      toolEvent(id, '', { name: undefined }),
      toolEvent(id, '', { name: undefined, input }),
      toolEvent(id, name, { stop: true }),
    ],
  },
  'tools-hostile': {
    summary: 'Two calls with `__proto__` as their id and in their input.',
    events: ({ name }) => [
      toolEvent('__proto__', name),
      toolEvent('__proto__', name, { input: '{"__proto__":{"polluted":true},"constructor":1}' }),
      toolEvent('__proto__', name, { stop: true }),
    ],
  },
}

/** Tool calls. Once their results are there the model tells of them, so that an agent's loop ends. */
export const TOOLS: Scripts = {
  tool: calling('One tool call.', ask => callEvents(toCall(ask))),
  tools: calling('Several tool calls, one after the other.', ask => saying(ask, callEvents)),
  'tools-behind-text': calling('Text, then a tool call.', function* (ask) {
    yield* textEvents(ask)
    yield* callEvents(toCall(ask))
  }),
  'tools-mixed': calling('The events of two calls in turns.', ask => inTurns(saidCalls(ask).map(callEvents))),
  'tools-before-text': calling('A call that does not stop before the text begins.', function* (ask) {
    yield* [...callEvents(toCall(ask))].slice(0, -1)
    yield* textEvents(ask)
  }),
  'tools-as-text': calling('A call that is written out as text.', ask => {
    const { name, arguments: input } = toCall(ask)
    return textEvents(ask, [`[Called ${name} with args `, input, ']'])
  }),
  'tools-ended': calling(
    'A call, and a stop reason that does not speak of it.',
    ask => callEvents(toCall(ask)),
    'END_TURN',
  ),
  'tools-missing': calling(
    'A stop reason that speaks of a call, and none in the answer.',
    ask => textEvents(ask),
    'TOOL_USE',
  ),
  ...Object.fromEntries(
    Object.entries(VARIANTS).map(([name, { summary, events }]) => [name, calling(summary, ask => saying(ask, events))]),
  ),
}

function calling(summary: string, frames: (ask: AmazonQAsk) => Iterable<Buffer>, stop?: string): Script {
  const events = (ask: AmazonQAsk): Iterable<Buffer> =>
    ask.results.length > 0 ? textEvents(ask, piecesOf(ask, quoteOf(ask))) : withThoughts(ask, frames(ask))
  return streamScript(summary, events, stop)
}

function saidCalls(ask: AmazonQAsk): readonly SaidCall[] {
  return Array.from({ length: Math.max(1, ask.options.number('calls', 2)) }, (_, index) => toCall(ask, index))
}

function* saying(ask: AmazonQAsk, events: (call: SaidCall) => Iterable<Buffer>): Generator<Buffer> {
  for (const call of saidCalls(ask)) yield* events(call)
}

function* inTurns(lists: readonly Iterable<Buffer>[]): Generator<Buffer> {
  const iterators = lists.map(list => list[Symbol.iterator]())
  for (let open = iterators.length; open > 0;) {
    open = 0
    for (const iterator of iterators) {
      const { value, done } = iterator.next()
      if (done === true) continue
      open++
      yield value
    }
  }
}
