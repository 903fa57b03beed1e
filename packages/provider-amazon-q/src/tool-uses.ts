import { createId, parseJson, textOf, type JsonObject, type ToolCallDelta } from '@millrace/core'
import { malformed } from './failures.ts'

const MAX_CALLS = 128
const MAX_UNITS = 8 * 1024 * 1024

/** One call, as far as it has come. */
interface ToolUse {
  readonly id: string
  readonly pieces: string[]
  /** Where it stands among the calls that went out; undefined as long as nothing names it. */
  index: number | undefined
  stopped: boolean
}

export interface ToolUses {
  /** The deltas that one event stands for. @throws {UpstreamError} `upstream_malformed` */
  push(event: JsonObject): ToolCallDelta[]
  /** How many calls went out. */
  count(): number
  /** Whether a call was said to be over, and is not whole. */
  isCut(): boolean
  /** Whether a call was never said to be over, and is not whole. */
  isOpen(): boolean
}

/**
 * Tool use events → tool calls. Each event names its call; the call begins with the first one, its arguments come as
 * fragments of JSON, or in one piece as an object, and nothing counts behind its `stop`. A call without arguments gets `{}`.
 * @param toolNames the names that were sent → those that the client used, where they differ
 */
export function createToolUses(toolNames: ReadonlyMap<string, string>): ToolUses {
  const calls = new Map<string, ToolUse>()
  let latest: ToolUse | undefined
  let opened = 0
  let units = 0

  function callOf(given: string): ToolUse {
    const known = given === '' && latest?.stopped === false ? latest : calls.get(given)
    if (known !== undefined) return known
    if (calls.size === MAX_CALLS) throw malformed(`more than ${MAX_CALLS} tool calls in one answer`)
    const call = { id: given || createId('call_'), pieces: [], index: undefined, stopped: false }
    calls.set(call.id, call)
    return call
  }

  /** The call begins for the client, with all that has come of it. */
  function open(call: ToolUse, name: string): ToolCallDelta[] {
    const index = opened++
    call.index = index
    const details = { name: toolNames.get(name) ?? name, arguments: '' }
    const opening = { index, id: call.id, type: 'function', function: details } as const
    return [opening, ...call.pieces.map(piece => ({ index, function: { arguments: piece } }))]
  }

  /** Whether some call of this kind is not whole. */
  function hasPart(stopped: boolean): boolean {
    return calls.values().some(call => call.stopped === stopped && parseJson(call.pieces.join('')) === undefined)
  }

  return {
    push({ toolUseId, name, input, stop }) {
      const call = callOf(textOf(toolUseId))
      latest = call
      if (call.stopped) return []
      call.stopped = stop === true
      const piece = toArguments(input) || (call.stopped && call.pieces.length === 0 ? '{}' : '')
      if (piece !== '') call.pieces.push(piece)
      units += piece.length
      if (units > MAX_UNITS) throw malformed('more than 8 Mi characters of tool arguments')
      if (call.index !== undefined) return piece === '' ? [] : [{ index: call.index, function: { arguments: piece } }]
      const named = textOf(name)
      if (named !== '') return open(call, named)
      if (call.stopped) throw malformed('a tool call without a name')
      return []
    },
    count: () => opened,
    isCut: () => hasPart(true),
    isOpen: () => hasPart(false) || opened < calls.size,
  }
}

function toArguments(input: unknown): string {
  return typeof input === 'object' && input !== null ? JSON.stringify(input) : textOf(input)
}
