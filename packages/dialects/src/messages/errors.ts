import type { GatewayError } from '@millrace/core'
import type { ErrorAnswer } from '../dialect.ts'

/** The types that clients tell failures by; of all other statuses below 500 the first, from there on the last. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  500: 'api_error',
}

/** A failure in the envelope of Anthropic's API. */
export function toMessagesError(failure: GatewayError, requestId: string): ErrorAnswer {
  return { status: failure.status, body: { ...toErrorEvent(failure), request_id: requestId } }
}

/** A failure as the last event of a stream. */
export function toErrorEvent(failure: GatewayError): { type: 'error'; error: { type: string; message: string } } {
  const type = TYPES[failure.status] ?? TYPES[failure.status < 500 ? 400 : 500]!
  return { type: 'error', error: { type, message: messageOf(failure) } }
}

const LIMIT = /maximum context length (?:is|of) (\d+)/i
const ASKED = /(?:requested|resulted in|has|have|contains) (?:about )?(\d+) (?:input )?tokens/i

/** Claude Code knows by these words, with both numbers where they are known, that it has to shorten the conversation. */
function messageOf({ code, message }: GatewayError): string {
  if (code !== 'context_length_exceeded' || /prompt is too long: \d/i.test(message)) return message
  const [limit, asked] = [LIMIT, ASKED].map(pattern => pattern.exec(message)?.[1])
  if (limit === undefined || asked === undefined) return `prompt is too long: ${message}`
  return `prompt is too long: ${asked} tokens > ${limit} maximum`
}
