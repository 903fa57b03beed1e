import type { ChatRequest } from '@millrace/core'
import { toConversation, type ConversationOptions } from '../request/index.ts'

export type Message = ChatRequest['messages'][number]

export const OPTIONS: ConversationOptions = {
  conversationId: '5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e12',
  modelId: 'claude-sonnet-4.5',
  origin: 'CLI',
  profileArn: undefined,
  flavour: 'rest',
  hasBareSchemas: false,
  signal: new AbortController().signal,
}

export const user = (content: Message['content'] = 'u'): Message => ({ role: 'user', content })
export const says = (content: string): Message => ({ role: 'assistant', content })
export const system = (content: string): Message => ({ role: 'system', content })
export const result = (id: string, content: Message['content'] = `of ${id}`): Message => ({
  role: 'tool',
  tool_call_id: id,
  content,
})
export const call = (
  id: string,
  name = 'look',
  text: unknown = '{}',
): { id: string; type: string; function: object } => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})
export const calls = (...ids: readonly string[]): Message => ({
  role: 'assistant',
  content: 'I look.',
  tool_calls: ids.map(id => call(id)),
})
export const tool = (name: string, members: object = {}): { type: string; function: { name: string } } => ({
  type: 'function',
  function: { name, ...members },
})
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
export const image = (url: unknown = `data:image/png;base64,${PNG}`): { type: string; image_url: unknown } => ({
  type: 'image_url',
  image_url: { url },
})

export async function bodyOf(messages: readonly Message[], members: object = {}, options = OPTIONS): Promise<string> {
  const request = { model: 'M', messages: [...messages], ...members }
  return (await toConversation(request, options)).body.toString()
}

interface Said {
  readonly content: string
  readonly images?: readonly unknown[]
  readonly toolUses?: readonly { toolUseId: string; name: string; input: unknown }[]
  readonly userInputMessageContext?: {
    readonly toolResults?: readonly { toolUseId: string; status: string; content: readonly { text: string }[] }[]
    readonly tools?: readonly { toolSpecification: { name: string; description: string; inputSchema: object } }[]
  }
}

/** What each side says in turn, the current message last. */
export async function saidIn(messages: readonly Message[], members: object = {}): Promise<readonly Said[]> {
  const { conversationState } = JSON.parse(await bodyOf(messages, members)) as {
    conversationState: { history?: object[]; currentMessage: object }
  }
  return [...(conversationState.history ?? []), conversationState.currentMessage].map(
    message => Object.values(message)[0] as Said,
  )
}

export async function textsIn(messages: readonly Message[], members: object = {}): Promise<readonly string[]> {
  return (await saidIn(messages, members)).map(({ content }) => content)
}
