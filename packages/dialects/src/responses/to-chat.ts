import { GatewayError, type ChatRequest } from '@millrace/core'
import { z } from 'zod'
import { readMember } from '../read-body.ts'
import { toTurns } from './input-items.ts'
import { toMessages } from './messages.ts'
import type { ResponsesRequest } from './request.ts'
import type { ToolNames } from './tool-names.ts'
import { toToolMembers } from './tools.ts'

/** The `include` by which a client asks for how likely each token was. */
const LOGPROBS = 'message.output_text.logprobs'

/** The request in chat's terms. @throws {GatewayError} with `param`: a member of it makes no sense, or cannot be done here */
export function toChat(request: ResponsesRequest, names: ToolNames): ChatRequest {
  const { model, stream, temperature, top_p, max_output_tokens, reasoning, text, user } = request
  // Before the items, so that what is offered has the better claim to its name than what was called once.
  const tools = toToolMembers(request, names)
  return {
    model,
    messages: messagesOf(request, names),
    ...tools,
    ...present({
      stream,
      temperature,
      top_p,
      max_completion_tokens: max_output_tokens,
      reasoning_effort: reasoning?.effort,
      verbosity: text?.verbosity,
      response_format: toResponseFormat(request),
      user,
    }),
    ...(wantsLogprobs(request) && { logprobs: true, ...present({ top_logprobs: request.top_logprobs }) }),
  }
}

/** Whether the client wants to see how likely each token was. */
export function wantsLogprobs({ include, top_logprobs }: ResponsesRequest): boolean {
  return include?.includes(LOGPROBS) === true || (top_logprobs ?? 0) > 0
}

function messagesOf({ instructions, input }: ResponsesRequest, names: ToolNames): ChatRequest['messages'] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  const messages = toMessages(toTurns(items, names))
  if (messages.length === 0) {
    throw new GatewayError('invalid_value', 'There is nothing in "input" that a model could answer.', {
      param: 'input',
    })
  }
  return instructions ? [{ role: 'system', content: instructions }, ...messages] : messages
}

const JsonSchema = z.looseObject({ type: z.string(), name: z.string().min(1), schema: z.looseObject({}) })

/** What is flat here is nested in chat. */
function toResponseFormat({ text }: ResponsesRequest): unknown {
  const format = text?.format
  if (format == null || format.type === 'text') return undefined
  if (format.type === 'json_object') return { type: format.type }
  if (format.type === 'json_schema') {
    const { type, ...json_schema } = readMember(JsonSchema, format, ['text', 'format'])
    return { type, json_schema }
  }
  throw new GatewayError('invalid_value', 'The format may be "text", "json_object" or "json_schema".', {
    param: 'text.format.type',
  })
}

/** The members that have a value. */
function present(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null))
}
