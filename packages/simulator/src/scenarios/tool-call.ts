import type { Ask } from '../scenario.ts'
import { resized } from '../words.ts'

const CITIES = ['Berlin', 'Nairobi', 'Lima', 'Osaka']

/** The options of all scenarios in which tools are called. */
export const TOOL_OPTIONS = {
  name: "the tool's name (the first that the request declares, or get_weather)",
  arguments: 'its arguments, as JSON',
} as const

export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/** Call number `at` of an answer. */
export function toToolCall(ask: Ask, at = 0): ToolCall {
  return {
    id: `call_simulated_${at + 1}`,
    name: ask.options.text('name') ?? ask.tools[at] ?? ask.tools[0] ?? 'get_weather',
    arguments: ask.options.text('arguments') ?? JSON.stringify({ city: CITIES[at % CITIES.length], unit: 'celsius' }),
  }
}

/** The arguments of a call as they are streamed: eight characters at a time, or what the option `size` says. */
export function argumentPieces(ask: Ask, call: ToolCall): readonly string[] {
  return [...resized(call.arguments.match(/.{1,8}/gsu) ?? [], ask.options)]
}

/** The first delta of a call, its arguments still to come. */
export function toCallHead(call: ToolCall, members: object = {}): object {
  return { ...members, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
}

/** A call in one delta. */
export function toWholeCall(call: ToolCall, members: object = {}): object {
  return { ...members, id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }
}
