import { GatewayError } from '@millrace/core'
import { z } from 'zod'
import type { Members } from '../dialect.ts'
import { readBody } from '../read-body.ts'

const text = z.looseObject({
  format: z.looseObject({ type: z.string(), name: z.string().nullish() }).nullish(),
  verbosity: z.string().nullish(),
})

/** A body of `POST /v1/responses`: the members that are looked at are checked, items and tools each in its own place. */
const ResponsesRequest = z.looseObject({
  model: z.string().min(1).max(512),
  input: z.union([z.string(), z.array(z.looseObject({ type: z.string().nullish() })).min(1)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  tools: z
    .array(z.looseObject({ type: z.string() }))
    .max(1024)
    .nullish(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
  text: text.nullish(),
  include: z.array(z.string()).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  user: z.string().nullish(),
})
export type ResponsesRequest = z.infer<typeof ResponsesRequest>

const SEND_ALL = 'send the whole conversation as items in "input"'

/** What only a service that keeps answers can do → what to do instead. */
const STATEFUL: Readonly<Record<string, string>> = {
  previous_response_id: `The gateway keeps no responses, so there is none to go on from: ${SEND_ALL}.`,
  conversation: `The gateway keeps no conversations: ${SEND_ALL}.`,
  prompt: 'The gateway keeps no prompts: send the words themselves in "instructions" and "input".',
}

/** @throws {GatewayError} the body is none, or needs a gateway that keeps something; with `param` */
export function readRequest(body: Members): ResponsesRequest {
  for (const [param, message] of Object.entries(STATEFUL)) {
    if (body[param] != null) throw new GatewayError('unsupported_parameter', message, { param })
  }
  const request = readBody(ResponsesRequest, body)
  if (request.store === true) {
    const message = `The gateway keeps no responses: leave "store" out or send false, and ${SEND_ALL} each time.`
    throw new GatewayError('unsupported_parameter', message, { param: 'store' })
  }
  if (request.background === true) {
    const message = 'The gateway answers while the client waits: leave "background" out, or send false.'
    throw new GatewayError('unsupported_parameter', message, { param: 'background' })
  }
  return request
}
