import { GatewayError } from '@millrace/core'
import { z } from 'zod'
import { readMember, toParam } from '../read-body.ts'
import { Content, isText, textOf, toContent, toParts, type ChatPart } from './content.ts'
import type { ToolNames } from './tool-names.ts'

type Path = readonly PropertyKey[]

/** What one item of the input is in a conversation. */
export type Turn =
  | { readonly kind: 'message'; readonly role: 'user' | 'system' | 'developer'; readonly content: string | ChatPart[] }
  /** Something that the model did. */
  | {
      readonly kind: 'model'
      readonly text?: string
      readonly refusal?: string
      readonly reasoning?: string
      readonly call?: ToolCall
    }
  /** What came of a call. */
  | { readonly kind: 'output'; readonly callId: string; readonly text: string; readonly images: readonly ChatPart[] }

export type ToolCall = {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

type Item = Readonly<Record<string, unknown>>
type Reader = (item: Item, path: Path, names: ToolNames) => Turn | undefined

const id = z.string().min(1)
const Message = z.looseObject({ role: z.enum(['user', 'assistant', 'system', 'developer']), content: Content })
const FunctionCall = z.looseObject({
  call_id: id,
  name: id,
  namespace: z.string().nullish(),
  arguments: z.string(),
})
const CustomCall = z.looseObject({ call_id: id, name: id, namespace: z.string().nullish(), input: z.string() })
const Output = z.looseObject({ call_id: id, output: Content })
const HostedCall = z.looseObject({ call_id: id })
const Reasoning = z.looseObject({
  summary: z.array(z.looseObject({ text: z.string() })).nullish(),
  content: z.array(z.looseObject({ text: z.string() })).nullish(),
})

/** Calls of tools that clients run by themselves, though they are no functions: the name they go by → what they say of it. */
const CLIENT_TOOLS = { local_shell: 'action', shell: 'action', apply_patch: 'operation' } as const

const ITEMS: Readonly<Record<string, Reader>> = {
  message(item, path) {
    const { role, content } = readMember(Message, item, path)
    const parts = toParts(content, [...path, 'content'])
    if (role !== 'assistant') return { kind: 'message', role, content: toContent(parts) }
    const refusal = parts.map(part => (part.type === 'refusal' ? String(part['refusal']) : '')).join('')
    return { kind: 'model', text: textOf(parts), ...(refusal !== '' && { refusal }) }
  },
  function_call(item, path, names) {
    const { call_id, arguments: said, name, namespace } = readMember(FunctionCall, item, path)
    return toCall(call_id, names.flatten({ kind: 'function', name, namespace: namespace ?? undefined }), said)
  },
  custom_tool_call(item, path, names) {
    const { call_id, input, name, namespace } = readMember(CustomCall, item, path)
    const flat = names.flatten({ kind: 'custom', name, namespace: namespace ?? undefined })
    return toCall(call_id, flat, JSON.stringify({ input }))
  },
  function_call_output: toOutput,
  custom_tool_call_output: toOutput,
  reasoning(item, path) {
    const { summary, content } = readMember(Reasoning, item, path)
    const thoughts = content != null && content.length > 0 ? content : (summary ?? [])
    return { kind: 'model', reasoning: thoughts.map(thought => thought.text).join('\n\n') }
  },
  ...Object.fromEntries(
    Object.entries(CLIENT_TOOLS).flatMap(([name, said]): [string, Reader][] => [
      [
        `${name}_call`,
        (item, path) => {
          const { call_id, [said]: details } = readMember(HostedCall, item, path)
          return toCall(call_id, name, JSON.stringify(details ?? {}))
        },
      ],
      [
        `${name}_call_output`,
        (item, path) => {
          // The oldest of them has the id of its call under another name.
          const { call_id, output } = readMember(HostedCall, { call_id: item['id'], ...item }, path)
          const text = typeof output === 'string' ? output : JSON.stringify(output ?? null)
          return { kind: 'output', callId: call_id, text, images: [] }
        },
      ],
    ]),
  ),
}

/** Calls that a service ran and answered by itself, and its notes on the conversation: nothing that another model could take up. */
const DROPPED = /_call$|_call_output$|^mcp_|^tool_search_|^compaction|_compaction$|^program|^ghost_snapshot$/

/**
 * The turns that the input says.
 * @throws {GatewayError} an item is not what its type says, of an unknown type, or a reference to one that was not kept; with `param`
 */
export function toTurns(items: readonly Item[], names: ToolNames): Turn[] {
  return items.flatMap((item, at) => {
    const path = ['input', at]
    const type = String(item['type'] ?? 'message')
    const read = ITEMS[type]
    if (read !== undefined) return read(item, path, names) ?? []
    if (DROPPED.test(type)) return []
    if (type === 'item_reference') {
      const message =
        'The gateway keeps no items, so none can be referred to: send the item itself. Most clients do with `store: false`.'
      throw new GatewayError('unsupported_parameter', message, { param: toParam(path) })
    }
    const message = `The gateway knows no items of the type "${type.slice(0, 64)}".`
    throw new GatewayError('invalid_value', message, { param: toParam([...path, 'type']) })
  })
}

function toCall(id: string, name: string, said: string): Turn {
  return { kind: 'model', call: { id, type: 'function', function: { name, arguments: said } } }
}

function toOutput(item: Item, path: Path): Turn {
  const { call_id, output } = readMember(Output, item, path)
  const parts = toParts(output, [...path, 'output'])
  return { kind: 'output', callId: call_id, text: textOf(parts), images: parts.filter(part => !isText(part)) }
}
