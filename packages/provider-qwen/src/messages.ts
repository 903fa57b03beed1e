import { isObject } from '@millrace/core'
import { limitCacheMarks } from './cache-marks.ts'
import { partsOf, toTextContent, type Message, type Part } from './content.ts'
import { toOrderedHistory } from './history.ts'
import { mapChanged } from './json-schema.ts'

export interface MessageRules {
  /** For the portal of sign-ins: one system message, first, as a list with a mark for the cache. */
  readonly isPortal: boolean
  /** Whether the model is to see what it thought earlier. */
  readonly preserveThinking: boolean
  /** How many marks for the prompt cache the messages may have. */
  readonly maxCacheMarks: number
}

/** The conversation as Qwen takes it; the same list where it was like that. */
export function toMessages(messages: readonly Message[], rules: MessageRules): readonly Message[] {
  const plain = mapChanged(messages, message => toMessage(message, rules))
  const whole = rules.isPortal ? withOneSystem(plain) : plain
  return withMediaBehindResults(toOrderedHistory(limitCacheMarks(whole, rules.maxCacheMarks)))
}

function toMessage(message: Message, { preserveThinking }: MessageRules): Message {
  let changed = message
  const set = (members: Partial<Message>): void => void (changed = { ...changed, ...members })

  if (message.role === 'developer') set({ role: 'system' })
  const content = toTextContent(message.content)
  // Some models refuse null where a message calls tools or has thought.
  if (content == null && (message.role === 'assistant' || message.role === 'tool')) set({ content: '' })
  else if (content !== message.content) set({ content })
  if (message.role !== 'assistant') return changed
  if (message.tool_calls != null) {
    const calls = mapChanged(message.tool_calls, toCall)
    if (calls !== message.tool_calls) set({ tool_calls: [...calls] })
  }
  if (preserveThinking || !('reasoning_content' in changed)) return changed
  const { reasoning_content: _thought, ...rest } = changed
  return rest as Message
}

type Call = NonNullable<Message['tool_calls']>[number]

/** Arguments that are no JSON object are a fault of the server's for Qwen: none are better. */
function toCall(call: Call): Call {
  const { function: called } = call
  if (!isObject(called) || isJsonObject(called['arguments'])) return call
  return { ...call, function: { ...called, arguments: '{}' } }
}

function isJsonObject(text: unknown): boolean {
  try {
    return typeof text === 'string' && isObject(JSON.parse(text))
  } catch {
    return false
  }
}

/** One system message in front, with what all of them say. */
function withOneSystem(messages: readonly Message[]): readonly Message[] {
  const parts = messages.flatMap(({ role, content }) => (role === 'system' ? partsOf(content) : []))
  const last = parts.at(-1) ?? { type: 'text', text: '' }
  const content = [...parts.slice(0, -1), { ...last, cache_control: { type: 'ephemeral' } }]
  return [{ role: 'system', content }, ...messages.filter(({ role }) => role !== 'system')]
}

/** Media that tools gave go into a message of the user behind the results: results are text for Qwen. */
function withMediaBehindResults(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(message => message.role === 'tool' && hasMedia(message))) return messages
  const moved: Message[] = []
  let media: Part[] = []
  for (const message of messages) {
    if (message.role !== 'tool' && media.length > 0) {
      moved.push({ role: 'user', content: media })
      media = []
    }
    if (message.role !== 'tool' || !hasMedia(message)) moved.push(message)
    else {
      const parts = partsOf(message.content)
      const texts = parts.flatMap(part =>
        part.type === 'text' && typeof part['text'] === 'string' ? part['text'] : [],
      )
      moved.push({ ...message, content: texts.join('\n') })
      media.push({ type: 'text', text: `What the tool call ${message.tool_call_id ?? ''} gave besides text:` })
      media.push(...parts.filter(part => part.type !== 'text'))
    }
  }
  if (media.length > 0) moved.push({ role: 'user', content: media })
  return moved
}

function hasMedia({ content }: Message): boolean {
  return Array.isArray(content) && content.some(part => part.type !== 'text')
}
