import { createId, type Call, type Frames, type JsonSource } from '@millrace/core'
import type { Asked, Dialect, Members } from '@millrace/dialects'
import { withStop, withUsage } from '@millrace/sse-core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppDeps } from '../app.ts'
import { withOutcome, type Outcome } from '../outcome.ts'
import { createClientController } from '../reply/client-signal.ts'
import { replyWithStream, toGatewayError } from '../reply/stream.ts'
import { replyWithWhole } from '../reply/whole.ts'
import type { Target } from '../router.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What is spoken on this route, failures included. */
    dialect?: Dialect
  }
}

/** A route that answers in a dialect. `editsOf`: members of the body that stand elsewhere in the request. */
export function answerRoute(
  app: FastifyInstance,
  path: string,
  dialect: Dialect,
  deps: AppDeps,
  editsOf?: (request: FastifyRequest) => Members,
): void {
  app.post(path, { config: { dialect } }, (request, reply) => answer(request, reply, dialect, deps, editsOf?.(request)))
}

/**
 * Answers one request for a model's words, in whatever dialect: read, routed, asked, replied to.
 * @throws {GatewayError} what has not been told to the client yet
 */
async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  dialect: Dialect,
  deps: AppDeps,
  edits?: Members,
): Promise<FastifyReply> {
  const source = request.body as JsonSource
  const asked = dialect.read(edits === undefined ? source.value : { ...source.value, ...edits })
  const { chat } = asked
  const target = deps.router.resolve(chat.model)
  const stream = chat.stream === true && target.route.streaming
  const head = {
    id: createId(dialect.idPrefix),
    created: Math.floor(Date.now() / 1000),
    model: chat.model,
    // A whole answer tells its usage unasked.
    includeUsage: !stream || asked.includeUsage,
  }
  const outcome: Outcome = (request.outcome = {
    dialect: dialect.name,
    model: chat.model,
    provider: target.route.name,
    upstreamModel: target.model,
    stream,
    account: undefined,
    firstFrameMs: undefined,
    frames: 0,
    usage: undefined,
    estimated: false,
  })

  const controller = createClientController(reply.raw)
  deps.calls.add(controller)
  try {
    const session = sessionOf(request, chat.user)
    const call: Call = {
      model: target.model,
      head,
      stream,
      // What was received is sent on only where it is still what is asked.
      ...(asked.isVerbatim && { source }),
      signal: controller.signal,
      requestId: request.id,
      ...(session !== undefined && { session }),
      onAccount: (name: string) => void (outcome.account = name),
    }
    const frames = withOutcome(framesOf(target, asked, call, source.byteLength, outcome), outcome, request.startedAt)
    const onWrite = deps.trace && ((bytes: Buffer) => deps.trace?.out(request.id, bytes))
    if (stream) await replyWithStream(reply, frames, asked.createEncoder(head), deps.stream, deps.deadlines, onWrite)
    else await replyWithWhole(reply, frames, asked, head, deps.stream.stallMs, onWrite)
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

/** The provider's frames, with what it lacks and what the client needs put around them. */
function framesOf({ route }: Target, asked: Asked, call: Call, promptBytes: number, outcome: Outcome): Frames {
  const { chat, adapt } = asked
  let frames = route.provider.chat(chat, call)
  const stops = [chat.stop ?? []].flat()
  if (route.provider.lacks?.stop === true && stops.length > 0) frames = withStop(frames, stops, call.head)
  if (adapt !== undefined) frames = adapt(frames, call.head)
  return withUsage(frames, {
    head: call.head,
    promptBytes,
    onUsage(usage, estimated) {
      outcome.usage = usage
      outcome.estimated = estimated
    },
  })
}
