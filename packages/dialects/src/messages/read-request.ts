import { createHash } from 'node:crypto'
import { GatewayError, type ChatRequest } from '@millrace/core'
import type { Members } from '../dialect.ts'
import { readBody } from '../read-body.ts'
import { toChatMessages } from './messages.ts'
import { CountRequest, MessagesRequest } from './request.ts'
import { hidesThoughts, toEffort } from './thinking.ts'
import { toToolMembers } from './tools.ts'

/** As many as servers of the OpenAI dialect take. */
const MAX_STOPS = 4

/** A request as chat, and whether the client does not want to see thoughts. @throws {GatewayError} as {@link readBody} */
export function readMessagesRequest(body: Members): { readonly chat: ChatRequest; readonly hidesThoughts: boolean } {
  const request = readBody(MessagesRequest, body)
  const chat: ChatRequest = {
    ...toChat(request),
    stream: request.stream,
    max_tokens: request.max_tokens,
    temperature: request.temperature,
    top_p: request.top_p,
    top_k: request.top_k,
    stop: request.stop_sequences?.slice(0, MAX_STOPS),
    reasoning_effort: toEffort(request),
    response_format: toResponseFormat(request),
    user: toUser(request),
  }
  return { chat: withoutNothing(chat), hidesThoughts: hidesThoughts(request) }
}

/** What of a request the model is given to read, as chat. @throws {GatewayError} as {@link readBody} */
export function readCountRequest(body: Members): ChatRequest {
  return toChat(readBody(CountRequest, body))
}

function toChat(request: CountRequest): ChatRequest {
  const messages = toChatMessages(request)
  if (messages.length === 0) {
    throw new GatewayError('invalid_value', 'The member "messages" holds no words.', { param: 'messages' })
  }
  return { model: request.model, messages, ...toToolMembers(request) }
}

function toResponseFormat({ output_config }: MessagesRequest): object | undefined {
  const schema = output_config?.format?.schema
  return schema && { type: 'json_schema', json_schema: { name: 'answer', schema } }
}

/** The same user has the same name with every upstream, and none learns who that is. */
function toUser({ metadata }: MessagesRequest): string | undefined {
  const id = metadata?.user_id
  return id ? createHash('sha256').update(id).digest('hex').slice(0, 32) : undefined
}

/** Without members that say nothing. */
function withoutNothing(chat: ChatRequest): ChatRequest {
  return Object.fromEntries(Object.entries(chat).filter(([, value]) => value != null)) as ChatRequest
}
