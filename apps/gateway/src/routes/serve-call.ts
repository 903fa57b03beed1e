import type { EmbeddingsCall } from '@millrace/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppDeps } from '../app.ts'
import { createOutcome, type Outcome } from '../outcome.ts'
import { createClientController } from '../reply/client-signal.ts'
import { toGatewayError } from '../reply/stream.ts'
import type { Target } from '../router.ts'

/** What is known of a call to a model before it is made. */
export interface CallFacts {
  readonly dialect: string
  /** As the client names it. */
  readonly model: string
  readonly target: Target
  readonly stream: boolean
  /** Who or what the client says that it asks for, where it says so in the body. */
  readonly user: string | null | undefined
}

/**
 * Runs one call to a model: it ends when the client leaves, or the gateway does, and the access line tells what became of it.
 * @throws {GatewayError} what has not been told to the client yet
 */
export async function serveCall(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: AppDeps,
  { dialect, model, target, stream, user }: CallFacts,
  serve: (call: EmbeddingsCall, outcome: Outcome) => Promise<void>,
): Promise<FastifyReply> {
  const outcome = createOutcome(dialect, model, target, stream)
  request.outcome = outcome
  const controller = createClientController(reply.raw)
  deps.calls.add(controller)
  try {
    const session = sessionOf(request, user)
    const call = {
      model: target.model,
      signal: controller.signal,
      requestId: request.id,
      ...(session !== undefined && { session }),
      ...(request.caller !== undefined && { caller: request.caller }),
      onAccount: (name: string) => void (outcome.account = name),
    }
    await serve(call, outcome)
  } catch (error) {
    const failure = toGatewayError(error)
    if (!reply.sent && !reply.raw.closed) throw failure
    request.failure = failure
    if (!reply.sent) reply.hijack()
  } finally {
    deps.calls.delete(controller)
  }
  return reply
}

/** Headers by which clients say which conversation a request belongs to. */
const SESSION_HEADERS = ['x-session-id', 'session-id', 'x-session-affinity', 'x-claude-code-session-id']

/** What the requests of one conversation have in common, so that they can be served by one account. */
function sessionOf({ headers }: FastifyRequest, user: string | null | undefined): string | undefined {
  const named = SESSION_HEADERS.map(name => headers[name]).find(value => typeof value === 'string' && value !== '')
  return (named as string | undefined) ?? (user || undefined)
}
