import {
  isObject,
  type ChatRequest,
  type ChunkChoice,
  type ChunkHead,
  type Delta,
  type Frame,
  type Frames,
  type ToolCallDelta,
} from '@millrace/core'
import { toChunk } from './encode.ts'

/**
 * Tool calls told in the older form, for a client that gave `functions`: each choice calls one function at most, so of
 * several calls only the first is told.
 */
export async function* withLegacyFunctions(frames: Frames, head: ChunkHead): Frames {
  let called = false

  function push(frame: Frame): readonly Frame[] {
    // The first frame of a call never has bytes.
    if (frame.bytes !== undefined && !called) return [frame]
    const { choices } = frame.chunk
    if (choices.every(choice => choice.delta.tool_calls === undefined && choice.finish_reason !== 'tool_calls')) {
      return [frame]
    }
    called = true
    return choices.flatMap(toLegacy).map(choice => ({ chunk: toChunk(head, choice) }))
  }

  for await (const batch of frames) {
    const out = batch.flatMap(push)
    if (out.length > 0) yield out
  }
}

function toLegacy(choice: ChunkChoice): ChunkChoice[] {
  const { tool_calls: calls = [], ...rest } = choice.delta
  const finish_reason = choice.finish_reason === 'tool_calls' ? 'function_call' : choice.finish_reason
  const last = { ...choice, delta: rest, finish_reason }
  const pieces = calls
    .filter(call => call.index === 0)
    .flatMap(toFunctionCalls)
    .map(delta => ({ index: choice.index, delta, finish_reason: null }))
  if (finish_reason !== null) return [...pieces, last]
  return Object.keys(rest).length > 0 ? [last, ...pieces] : pieces
}

function toFunctionCalls({ function: { name, arguments: text } }: ToolCallDelta): Delta[] {
  return [
    ...(name === undefined ? [] : [{ function_call: { name, arguments: '' } }]),
    ...(text ? [{ function_call: { arguments: text } }] : []),
  ]
}

type Message = ChatRequest['messages'][number]

/**
 * A request in the older form → the same with tools: `functions` are tools, `function_call` is the choice among them,
 * and in the history each call has an id, `call_legacy_N` with N counted from 0, which its result refers to. A result
 * belongs to the latest call of its name, or else to the latest call. Other requests come back as they are.
 */
export function fromLegacyFunctions(request: ChatRequest): ChatRequest {
  const { functions, function_call: choice, tools, messages, ...rest } = request
  const isLegacy = messages.some(message => message.role === 'function' || message['function_call'] != null)
  if (functions == null && choice == null && !isLegacy) return request
  const allTools = [
    ...(tools ?? []),
    ...(functions ?? []).map(definition => ({ type: 'function', function: definition })),
  ]
  const tool_choice = request['tool_choice'] ?? toToolChoice(choice)
  return {
    ...rest,
    messages: toToolMessages(messages),
    ...(allTools.length === 0
      ? undefined
      : { tools: allTools, ...(tool_choice == null ? undefined : { tool_choice }) }),
  }
}

function toToolChoice(choice: unknown): unknown {
  return isObject(choice) ? { type: 'function', function: choice } : choice
}

function toToolMessages(messages: readonly Message[]): Message[] {
  const calls: { readonly id: string; readonly name: unknown }[] = []
  return messages.map(message => {
    const { function_call: call, ...rest } = message
    if (message.role === 'assistant' && isObject(call)) {
      const id = `call_legacy_${calls.length}`
      calls.push({ id, name: call['name'] })
      return { ...rest, tool_calls: [...(message.tool_calls ?? []), { id, type: 'function', function: call }] }
    }
    if (message.role !== 'function') return message
    const { name, ...result } = rest
    const { id } = calls.findLast(made => made.name === name) ?? calls.at(-1) ?? { id: `call_legacy_${calls.length}` }
    return { ...result, role: 'tool', tool_call_id: id, content: message.content ?? '' }
  })
}
