import { toStream, toText } from '../chunks.ts'
import type { Part } from '../chunks.ts'
import type { Ask, Scenarios, StreamEvent } from '../scenario.ts'
import { chatScenario } from './chat-scenario.ts'
import { LOOSE_CALLS } from './loose-calls.ts'
import { argumentPieces, toCallHead, toToolCall, TOOL_OPTIONS } from './tool-call.ts'
import type { ToolCall } from './tool-call.ts'

const VARIANTS = [...LOOSE_CALLS.keys()]

/** Tool calls, good and odd. After a tool's result the model answers with text, so that an agent's loop ends. */
export const TOOLS: Scenarios = {
  tool: chatScenario('One tool call; text once its result is there.', ask => calling(ask, 1), {
    options: TOOL_OPTIONS,
  }),
  tools: chatScenario(
    'Several tool calls at once, their pieces in turns.',
    ask => calling(ask, Math.max(1, ask.options.number('calls', 2))),
    { options: { ...TOOL_OPTIONS, calls: 'how many (2)' } },
  ),
  'tools-loose': chatScenario('Two tool calls, one after the other, in the manner of careless servers.', loose, {
    options: { ...TOOL_OPTIONS, variant: `what is odd: ${VARIANTS.join(', ')} (no-index)` },
  }),
  function: chatScenario('One call in the older form, `function_call`.', calledFunction, { options: TOOL_OPTIONS }),
}

function calling(ask: Ask, count: number): Iterable<StreamEvent> {
  if (ask.hasToolResult) return toText(ask)
  const calls = Array.from({ length: count }, (_, at) => toToolCall(ask, at))
  return toStream(ask, inTurns(ask, calls), { finish: 'tool_calls' })
}

function* inTurns(ask: Ask, calls: readonly ToolCall[]): Generator<Part> {
  for (const [index, call] of calls.entries()) yield toToolPart(toCallHead(call, { index }))
  const pieces = calls.map(call => argumentPieces(ask, call))
  const longest = Math.max(...pieces.map(list => list.length))
  for (let at = 0; at < longest; at++) {
    for (const [index, list] of pieces.entries()) {
      const piece = list[at]
      if (piece !== undefined) yield toToolPart({ index, function: { arguments: piece } })
    }
  }
}

function toToolPart(call: object): Part {
  return { delta: { tool_calls: [call] } }
}

function loose(ask: Ask): Iterable<StreamEvent> {
  const { toDeltas, finish = 'tool_calls' } = LOOSE_CALLS.get(ask.options.oneOf('variant', VARIANTS, 'no-index'))!
  const deltas = [0, 1].flatMap(index => {
    const call = toToolCall(ask, index)
    return toDeltas(call, index, argumentPieces(ask, call))
  })
  return toStream(ask, deltas.map(toToolPart), { finish })
}

function calledFunction(ask: Ask): Iterable<StreamEvent> {
  if (ask.hasToolResult) return toText(ask)
  const call = toToolCall(ask)
  const parts = [{ name: call.name, arguments: '' }, ...argumentPieces(ask, call).map(piece => ({ arguments: piece }))]
  return toStream(
    ask,
    parts.map(part => ({ delta: { function_call: part } })),
    { finish: 'function_call' },
  )
}
