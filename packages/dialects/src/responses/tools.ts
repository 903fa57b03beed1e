import { GatewayError, type ChatRequest } from '@millrace/core'
import { z } from 'zod'
import { readMember, toParam } from '../read-body.ts'
import type { ResponsesRequest } from './request.ts'
import type { ToolNames } from './tool-names.ts'

type ChatTool = NonNullable<ChatRequest['tools']>[number]

/** What a chat request says about tools: nothing where there are none. */
export interface ToolMembers {
  readonly tools?: ChatTool[]
  readonly tool_choice?: unknown
  readonly parallel_tool_calls?: boolean
}

const name = z.string().min(1)
const FunctionTool = z.looseObject({
  name,
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
})
const CustomTool = z.looseObject({
  name,
  description: z.string().nullish(),
  format: z.looseObject({ type: z.string(), syntax: z.string().nullish(), definition: z.string().nullish() }).nullish(),
})
const NamespaceTool = z.looseObject({ name, tools: z.array(z.looseObject({ type: z.string() })) })

type Tool = NonNullable<ResponsesRequest['tools']>[number]
type Path = readonly PropertyKey[]

/** Run by the service where there is one, and done without where there is none: clients offer them unasked. */
const IGNORED = /^(?:web_search|image_generation|tool_search)/

/** Of each type of tool, what one is in chat. */
const TOOLS: Readonly<Record<string, (tool: Tool, path: Path, names: ToolNames, namespace?: string) => ChatTool[]>> = {
  function(tool, path, names, namespace) {
    const { name, description, parameters, strict } = readMember(FunctionTool, tool, path)
    const definition = {
      name: names.flatten({ kind: 'function', name, namespace }),
      ...(description != null && { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(strict != null && { strict }),
    }
    return [{ type: 'function', function: definition }]
  },

  /** A tool that takes any text, as a function with that text as its one argument. */
  custom(tool, path, names, namespace) {
    const { name, description, format } = readMember(CustomTool, tool, path)
    const grammar = format?.definition
    const definition = {
      name: names.flatten({ kind: 'custom', name, namespace }),
      description: [description, grammar && `The input must follow this ${format?.syntax ?? ''} grammar:\n${grammar}`]
        .filter(Boolean)
        .join('\n\n'),
      parameters: {
        type: 'object',
        properties: { input: { type: 'string', description: 'The whole input of the tool, as it is.' } },
        required: ['input'],
        additionalProperties: false,
      },
    }
    return [{ type: 'function', function: definition }]
  },

  namespace(tool, path, names) {
    const { name, tools } = readMember(NamespaceTool, tool, path)
    return tools.flatMap((inner, at) => toTools(inner, [...path, 'tools', at], names, name))
  },
}

/** @throws {GatewayError} a tool is not what its type says, or is one that only a service of its own could run; with `param` */
export function toToolMembers(request: ResponsesRequest, names: ToolNames): ToolMembers {
  const { tools: asked = [], tool_choice: choice, parallel_tool_calls } = request
  const placed = [...(asked ?? []).entries()]
  // Those outside of namespaces first, so that they keep their names.
  const [plain = [], inNamespaces = []] = [false, true].map(wanted =>
    placed.filter(([, { type }]) => (type === 'namespace') === wanted),
  )
  const all = [...plain, ...inNamespaces].flatMap(([at, tool]) => toTools(tool, ['tools', at], names))
  const { tools, tool_choice } = choose(all, choice, names)
  if (tools.length === 0) return {}
  return {
    tools,
    ...(tool_choice != null && { tool_choice }),
    ...(parallel_tool_calls != null && { parallel_tool_calls }),
  }
}

function toTools(tool: Tool, path: Path, names: ToolNames, namespace?: string): ChatTool[] {
  const read = TOOLS[tool.type]
  if (read !== undefined) return read(tool, path, names, namespace)
  if (IGNORED.test(tool.type)) return []
  throw notOffered(tool.type, [...path, 'type'])
}

const Named = z.looseObject({ name, namespace: z.string().nullish() })
const AllowedTools = z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(z.looseObject({})) })

function choose(
  tools: ChatTool[],
  choice: ResponsesRequest['tool_choice'],
  names: ToolNames,
): { tools: ChatTool[]; tool_choice?: unknown } {
  function nameOf(tool: object, path: Path): string {
    const { name, namespace } = readMember(Named, tool, path)
    return names.flatten({ kind: 'function', name, namespace: namespace ?? undefined })
  }

  const path = ['tool_choice']
  if (choice == null || typeof choice === 'string') return { tools, tool_choice: choice }
  if (choice.type === 'function' || choice.type === 'custom') {
    return { tools, tool_choice: { type: 'function', function: { name: nameOf(choice, path) } } }
  }
  if (choice.type !== 'allowed_tools') throw notOffered(choice.type, [...path, 'type'])
  const { mode, tools: allowed } = readMember(AllowedTools, choice, path)
  const wanted = new Set(allowed.flatMap((tool, at) => ('name' in tool ? nameOf(tool, [...path, 'tools', at]) : [])))
  return { tools: tools.filter(tool => wanted.has(tool.function!.name)), tool_choice: mode }
}

function notOffered(type: string, path: Path): GatewayError {
  const message = `The gateway runs no tools, and so has none of the type "${type.slice(0, 64)}": offer it as a function that the client runs, or leave it out.`
  return new GatewayError('unsupported_parameter', message, { param: toParam(path) })
}
