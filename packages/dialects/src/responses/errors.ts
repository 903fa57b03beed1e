import { UpstreamError, type FailureCode, type GatewayError } from '@millrace/core'
import type { ErrorAnswer } from '../dialect.ts'

/** Members of a chat request, which upstreams complain of, under their names in this dialect. */
const PARAMS: Readonly<Record<string, string>> = {
  messages: 'input',
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  reasoning_effort: 'reasoning.effort',
  response_format: 'text.format',
}

/** A failure in the envelope of the API, for an answer that has not begun. */
export function toResponsesError(failure: GatewayError): ErrorAnswer {
  const { error } = failure.toBody()
  const code = error.param === 'previous_response_id' ? 'previous_response_not_found' : error.code
  return {
    status: failure.status,
    body: { error: { ...error, param: PARAMS[error.param ?? ''] ?? error.param, code } },
  }
}

export interface ResponseError {
  readonly code: string
  readonly message: string
}

/** Codes by which clients tell what to do; of the others, whether to ask again is all they need to know. */
const CODES: Partial<Readonly<Record<FailureCode, string>>> = {
  context_length_exceeded: 'context_length_exceeded',
  insufficient_quota: 'insufficient_quota',
  rate_limit_exceeded: 'rate_limit_exceeded',
  upstream_overloaded: 'rate_limit_exceeded',
  gateway_shutdown: 'rate_limit_exceeded',
}

/** Longer waits are as good as a refusal: clients that obey them seem frozen. */
const MAX_WAIT_MS = 60_000
/** How long a client is asked to wait where the upstream does not say. */
const USUAL_WAIT_MS = 5000

/** What a response says that failed in its middle; the words "try again in Ns" are read by clients. */
export function toResponseError(failure: GatewayError): ResponseError {
  const { message } = failure
  const waitMs = (failure instanceof UpstreamError ? failure.retryAfterMs : undefined) ?? USUAL_WAIT_MS
  const isForLater = failure.retry && waitMs <= MAX_WAIT_MS
  const code = CODES[failure.code]
  if (code !== 'rate_limit_exceeded')
    return { code: code ?? (failure.retry ? 'server_error' : 'invalid_prompt'), message }
  if (!isForLater) return { code: 'invalid_prompt', message }
  return { code, message: `${message} Please try again in ${Math.max(1, Math.ceil(waitMs / 1000))}s.` }
}
