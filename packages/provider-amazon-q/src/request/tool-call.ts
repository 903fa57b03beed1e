import { GatewayError, isObject, type JsonObject } from '@millrace/core'
import { parseAcceptable } from './acceptable.ts'

interface ToolCall {
  readonly id: string
  readonly name: string
  readonly input: JsonObject
}

/**
 * A call of a tool that the assistant made earlier.
 * @throws {GatewayError} `missing_required_parameter`, `unsupported_parameter` for what is no call of a function
 */
export function readToolCall(call: JsonObject, param: string): ToolCall {
  const { id, type = 'function', function: called } = call
  if (type !== 'function') {
    const message = 'Amazon Q knows calls of functions only: leave other calls and their results out.'
    throw new GatewayError('unsupported_parameter', message, { param: `${param}.type` })
  }
  if (typeof id !== 'string' || id === '') {
    throw missing(`${param}.id`, 'A tool call needs an id that its result names.')
  }
  const name = isObject(called) ? called['name'] : undefined
  if (!isObject(called) || typeof name !== 'string' || name === '') {
    throw missing(`${param}.function.name`, 'A tool call needs the name of the function.')
  }
  return { id, name, input: toInput(called['arguments']) }
}

/** Arguments as an object: the service takes nothing else. What is none, such as half of one, is kept in one as text. */
function toInput(text: unknown): JsonObject {
  const json = typeof text === 'string' ? text : JSON.stringify(text ?? {})
  if (json.trim() === '') return {}
  const value = parseAcceptable(json)
  return isObject(value) ? value : { arguments: json.toWellFormed() }
}

function missing(param: string, message: string): GatewayError {
  return new GatewayError('missing_required_parameter', message, { param })
}
