import { OptionError } from '../options.ts'
import { toCallHead, toWholeCall } from './tool-call.ts'
import type { ToolCall } from './tool-call.ts'

/** A way of writing a tool call that a server has, or might come upon. */
interface LooseCalls {
  /** The deltas of call number `index`, whose arguments come in `pieces`. */
  readonly toDeltas: (call: ToolCall, index: number, pieces: readonly string[]) => readonly object[]
  readonly finish?: string
}

/** First `head`, then the pieces of the arguments, each with `members` beside it. */
function inPieces(
  head: (call: ToolCall, index: number) => object,
  members: (call: ToolCall, index: number) => object = (_, index) => ({ index }),
): LooseCalls {
  return {
    toDeltas: (call, index, pieces) => [
      head(call, index),
      ...pieces.map(piece => ({ ...members(call, index), function: { arguments: piece } })),
    ],
  }
}

/** All calls at one and the same index, whatever that is. */
function atIndex(index: unknown): LooseCalls {
  return inPieces(
    call => toCallHead(call, { index }),
    () => ({ index }),
  )
}

/** The whole call in one delta, with `called` as what is known of the arguments. */
function atOnce(called: (call: ToolCall) => object): LooseCalls {
  return {
    toDeltas: (call, index) => [
      { index, id: call.id, type: 'function', function: { name: call.name, ...called(call) } },
    ],
  }
}

export const LOOSE_CALLS: ReadonlyMap<string, LooseCalls> = new Map(
  Object.entries({
    'no-index': inPieces(
      call => toCallHead(call),
      () => ({}),
    ),
    'reused-index': atIndex(0),
    'id-each': inPieces(
      (call, index) => toCallHead(call, { index }),
      (call, index) => ({ index, id: call.id, type: 'function' }),
    ),
    'empty-id': inPieces(
      (call, index) => toCallHead({ ...call, id: '' }, { index }),
      (_, index) => ({ index, id: '' }),
    ),
    'no-id': inPieces((call, index) => ({ index, type: 'function', function: { name: call.name, arguments: '' } })),
    'same-id': inPieces((call, index) => toCallHead({ ...call, id: 'call_simulated' }, { index })),
    'late-name': {
      toDeltas: (call, index, pieces) => [
        { index, id: call.id, type: 'function', function: { arguments: '' } },
        ...pieces.map(piece => ({ index, function: { arguments: piece } })),
        { index, function: { name: call.name } },
      ],
    },
    'empty-name': {
      toDeltas: (call, index, pieces) => [
        toCallHead(call, { index }),
        ...pieces.map(piece => ({ index, function: { name: '', arguments: piece } })),
      ],
    },
    'null-arguments': atOnce(() => ({ arguments: null })),
    'no-arguments': atOnce(() => ({})),
    'object-arguments': atOnce(call => ({ arguments: parseArguments(call) })),
    whole: atOnce(call => ({ arguments: call.arguments })),
    'whole-no-index': { toDeltas: call => [toWholeCall(call)] },
    'index-2^53': atIndex(2 ** 53),
    'index-128': atIndex(128),
    'index-negative': atIndex(-1),
    'index-proto': atIndex('__proto__'),
    'finish-stop': { ...inPieces((call, index) => toCallHead(call, { index })), finish: 'stop' },
  } satisfies Record<string, LooseCalls>),
)

function parseArguments(call: ToolCall): unknown {
  try {
    return JSON.parse(call.arguments)
  } catch (cause) {
    throw new OptionError('Here option "arguments" must be JSON.', { cause })
  }
}
