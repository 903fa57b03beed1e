import { partsOf, type Message } from './content.ts'

type Call = NonNullable<Message['tool_calls']>[number]

/**
 * The messages in an order that Qwen takes: the results of calls right behind the message that made
 * them, no result without its call and no call without its result, and no two messages of the assistant in a row. The same
 * list where it was like that.
 */
export function toOrderedHistory(messages: readonly Message[]): readonly Message[] {
  return isOrdered(messages) ? messages : mergeAssistants(withResultsBehindCalls(messages))
}

function isOrdered(messages: readonly Message[]): boolean {
  let open: string[] = [] // the calls that still need their results
  for (const [at, message] of messages.entries()) {
    if (message.role === 'tool') {
      const { tool_call_id: id } = message
      if (id == null || !open.includes(id)) return false
      open = open.filter(other => other !== id)
      continue
    }
    if (open.length > 0 || (message.role === 'assistant' && isAssistantAgain(messages[at - 1], message))) return false
    open = callsOf(message).flatMap(({ id }) => id ?? [])
  }
  return open.length === 0
}

/** Whether a message goes on with what the assistant said; the beginning of an answer (`partial`) stands for itself. */
function isAssistantAgain(before: Message | undefined, message: Message): boolean {
  return before?.role === 'assistant' && message['partial'] !== true
}

function withResultsBehindCalls(messages: readonly Message[]): Message[] {
  const ordered: Message[] = []
  for (const [at, message] of messages.entries()) {
    if (message.role === 'tool') continue
    const calls = callsOf(message)
    const results = calls.length === 0 ? [] : resultsOf(calls, messages.slice(at + 1))
    const answered = calls.filter(({ id }) => id === undefined || results.some(result => result.tool_call_id === id))
    if (answered.length === calls.length) ordered.push(message)
    else if (answered.length > 0) ordered.push({ ...message, tool_calls: answered })
    else if (partsOf(message.content).length > 0) ordered.push(withoutCalls(message))
    ordered.push(...results)
  }
  return ordered
}

/** The first result of each call, in their order, before a later message calls something under the same id. */
function resultsOf(calls: readonly Call[], later: readonly Message[]): Message[] {
  const open = new Set(calls.map(({ id }) => id))
  const results: Message[] = []
  for (const message of later) {
    if (message.role !== 'tool') {
      for (const { id } of callsOf(message)) open.delete(id)
    } else if (open.delete(message.tool_call_id ?? '')) results.push(message)
    if (open.size === 0) break
  }
  return results
}

function mergeAssistants(messages: readonly Message[]): Message[] {
  const merged: Message[] = []
  for (const message of messages) {
    const before = merged.at(-1)
    if (before === undefined || message.role !== 'assistant' || !isAssistantAgain(before, message)) merged.push(message)
    else merged[merged.length - 1] = merge(before, message)
  }
  return merged
}

function merge(before: Message, after: Message): Message {
  const calls = [...callsOf(before), ...callsOf(after)]
  const isText = [before.content, after.content].every(content => content == null || typeof content === 'string')
  const texts = [before.content, after.content].filter(Boolean)
  return {
    ...before,
    ...after,
    content: isText ? texts.join('\n') : [...partsOf(before.content), ...partsOf(after.content)],
    ...(calls.length > 0 ? { tool_calls: calls } : undefined),
  }
}

function callsOf({ role, tool_calls }: Message): readonly Call[] {
  return role === 'assistant' ? (tool_calls ?? []) : []
}

function withoutCalls({ tool_calls: _calls, ...message }: Message): Message {
  return message
}
