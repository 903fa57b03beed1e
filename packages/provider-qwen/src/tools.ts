import { GatewayError, isObject, type ChatRequest } from '@millrace/core'
import { isMarked, withoutMark } from './cache-marks.ts'
import { mapChanged, toPlainSchema } from './json-schema.ts'

type Tool = NonNullable<ChatRequest['tools']>[number]

/** A name that Qwen keeps for its own search. */
const RESERVED_NAME = 'search'
const MAX_CHOICES = 4

/**
 * The members that have to do with tools, where they differ from what came: none of them where there are no tools, calls
 * side by side unless the client says otherwise, and a choice that Qwen knows. `thinks`: the model is told to, or always does.
 * @throws {GatewayError} `unsupported_parameter` for what Qwen does not do
 */
export function toToolMembers(request: ChatRequest, thinks: boolean): Readonly<Record<string, unknown>> {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel, n } = request
  if (n != null && n > MAX_CHOICES) throw unsupported('n', `Qwen gives at most ${MAX_CHOICES} choices.`)
  if (tools == null || tools.length === 0) {
    return { tools: undefined, tool_choice: undefined, parallel_tool_calls: undefined }
  }
  if (n != null && n > 1) throw unsupported('n', 'With tools, Qwen gives one choice only.')
  const plain = mapChanged(withOneMark(tools), toTool)
  return {
    ...(plain === tools ? undefined : { tools: plain }),
    ...(choice == null ? undefined : toToolChoice(choice, tools, thinks)),
    ...(parallel == null ? { parallel_tool_calls: true } : undefined),
  }
}

function toTool(tool: Tool, at: number): Tool {
  const { function: definition } = tool
  if (definition === undefined) return tool
  if (definition.name === RESERVED_NAME) {
    throw unsupported(
      `tools[${at}].function.name`,
      `Qwen keeps the name "${RESERVED_NAME}" for itself: choose another.`,
    )
  }
  const { parameters } = definition
  const plain = isObject(parameters) ? toPlainSchema(parameters) : { type: 'object', properties: {} }
  return plain === parameters ? tool : { ...tool, function: { ...definition, parameters: plain } }
}

/** The last of several marks for the prompt cache: it covers all tools before it. */
function withOneMark(tools: readonly Tool[]): readonly Tool[] {
  const last = tools.findLastIndex(isMarked)
  return mapChanged(tools, (tool, at) => (at < last && isMarked(tool) ? withoutMark(tool) : tool))
}

/** With a single tool, `required` is the same as naming it; a model that thinks can be given no name. */
function toToolChoice(
  choice: unknown,
  [only, ...others]: readonly Tool[],
  thinks: boolean,
): Readonly<Record<string, unknown>> | undefined {
  if (choice === 'auto' || choice === 'none') return undefined
  if (thinks) throw unsupported('tool_choice', 'Of a model that thinks, Qwen takes no more than "auto" and "none".')
  if (isObject(choice) && choice['type'] === 'function') return undefined
  if (choice === 'required' && others.length === 0 && only?.function !== undefined) {
    return { tool_choice: { type: 'function', function: { name: only.function.name } } }
  }
  const said = typeof choice === 'string' ? `"${choice}"` : 'this'
  throw unsupported('tool_choice', `Qwen does not take ${said}: it knows "auto", "none", and one function by its name.`)
}

function unsupported(param: string, message: string): GatewayError {
  return new GatewayError('unsupported_parameter', message, { param })
}
