import { FAILURES, toSafeText, type GatewayError } from '@millrace/core'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { Outcome } from '../outcome.ts'

declare module 'fastify' {
  interface FastifyRequest {
    startedAt: number
    /** What became of a model call; undefined for other requests, and for those refused before one began. */
    outcome: Outcome | undefined
    /** The name of the key that the request came with; undefined where it has none. */
    caller: string | undefined
    failure: GatewayError | undefined
  }
}

/** One line a request, when its response is over. */
export const accessLogHook: onRequestHookHandler = (request, reply, done) => {
  request.startedAt = performance.now()
  reply.raw.once('close', () => {
    // A failure that closed the response is only now on its way to whoever waits for it.
    setImmediate(logAccess, request, reply.raw)
  })
  done()
}

function logAccess(request: FastifyRequest, response: ServerResponse): void {
  const { outcome, failure } = request
  const gone = !response.writableFinished
  const ending = failure?.code ?? (gone ? 'aborted' : 'completed')
  const line = {
    method: request.method,
    path: toSafeText(request.url.split('?', 1)[0]!.slice(0, 200)),
    // Of an answer that the client did not get, what counts is why.
    status: gone ? FAILURES[failure?.code ?? 'aborted'].status : response.statusCode,
    ending,
    caller: request.caller,
    ...(outcome && {
      model: toSafeText(outcome.model),
      provider: outcome.provider,
      account: outcome.account,
      upstreamModel: toSafeText(outcome.upstreamModel),
      stream: outcome.stream,
      firstFrameMs: round(outcome.firstFrameMs),
      chunks: outcome.frames,
      promptTokens: outcome.usage?.prompt_tokens,
      completionTokens: outcome.usage?.completion_tokens,
      estimated: outcome.estimated || undefined,
    }),
    anthropicVersion: toShort(request.headers['anthropic-version']),
    anthropicBeta: toShort(request.headers['anthropic-beta']),
    totalMs: round(performance.now() - request.startedAt),
    ...(failure && { message: toSafeText(failure.message) }),
  }
  if (ending === 'completed' || ending === 'aborted') request.log.info(line, 'request')
  else if (ending === 'internal_error') request.log.error({ ...line, err: failure?.cause }, 'request')
  else request.log.warn({ ...line, cause: causeOf(failure) }, 'request')
}

/** What a client says in a header, fit for the log. */
function toShort(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : toSafeText(String(header).slice(0, 500))
}

/** What lay behind a failure, where that is an error of this process: what an upstream said may hold anything. */
function causeOf(failure: GatewayError | undefined): string | undefined {
  return failure?.cause instanceof Error ? toSafeText(failure.cause.message) : undefined
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10
}
