import { GatewayError, UpstreamError } from '@millrace/core'
import { chat, messages, type Dialect } from '@millrace/dialects'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { thenCloseGently } from './close-gently.ts'
import { toGatewayError } from './stream.ts'

/** Longer waits freeze some clients and make others give up without a word: those are told not to ask again. */
const MAX_RETRY_AFTER_MS = 60_000

/** Fastify's own errors by their code. */
const FRAMEWORK: Readonly<Record<string, (error: FastifyError, request: FastifyRequest) => GatewayError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (_error, { routeOptions }) =>
    new GatewayError('request_too_large', `The body is over the limit of ${routeOptions.bodyLimit} bytes.`),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new GatewayError('unsupported_media_type', 'The body must be `application/json`.'),
  FST_ERR_CTP_EMPTY_TYPE: () => new GatewayError('unsupported_media_type', 'The body must be `application/json`.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new GatewayError('bad_request', 'The body is not as long as its Content-Length says.'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new GatewayError('invalid_json', 'The body is empty.'),
  FST_ERR_BAD_URL: () => new GatewayError('unknown_url', 'The URL cannot be read.'),
  ECONNRESET: () => new GatewayError('aborted', 'The client went away.'),
}

/** Whatever was thrown on the way to an answer, as a failure of ours. */
export function toFailure(error: unknown, request: FastifyRequest): GatewayError {
  const code = (error as FastifyError).code ?? ''
  return FRAMEWORK[code]?.(error as FastifyError, request) ?? toGatewayError(error)
}

/** Answers with the error envelope of the dialect that the route speaks, and with the headers by which clients decide whether and when to ask again. */
export function replyWithError(reply: FastifyReply, failure: GatewayError): FastifyReply {
  const { retryAfterMs } = failure instanceof UpstreamError ? failure : {}
  const tooLong = retryAfterMs !== undefined && retryAfterMs > MAX_RETRY_AFTER_MS
  if (!failure.retry || tooLong) reply.header('x-should-retry', 'false')
  else if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  // What is left of a body that nobody will read must not be taken for the next request.
  if (!reply.request.raw.complete) {
    reply.header('connection', 'close')
    thenCloseGently(reply.request.raw.socket)
  }
  const { request } = reply
  const { status, body } = dialectOf(request).toError(failure, request.id)
  return reply.code(status).type('application/json').send(body)
}

/** What the route speaks; where there is none, or it is one of several dialects, what the client seems to. */
function dialectOf({ routeOptions, url, headers }: FastifyRequest): Dialect {
  const isAnthropic = headers['anthropic-version'] !== undefined || /^\/v1\/messages(?=$|[/?])/.test(url)
  return routeOptions.config.dialect ?? (isAnthropic ? messages : chat)
}
