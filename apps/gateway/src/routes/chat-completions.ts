import { createId, type Call, type ChatRequest, type Frames, type JsonSource } from '@millrace/core'
import { fromLegacyFunctions, withLegacyFunctions, withStop, withUsage } from '@millrace/sse-core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppDeps } from '../app.ts'
import { parseChatRequest } from '../dialects/chat.ts'
import { withOutcome, type Outcome } from '../outcome.ts'
import { createClientController } from '../reply/client-signal.ts'
import { replyWithStream, toGatewayError } from '../reply/stream.ts'
import { replyWithWhole } from '../reply/whole.ts'
import type { Target } from '../router.ts'

/** `POST /v1/chat/completions`, and the same under the URL that Azure's clients build, where the model stands in the path. */
export function chatCompletionsRoute(app: FastifyInstance, deps: AppDeps): void {
  const handler = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    complete(request, reply, deps)
  app.post('/v1/chat/completions', handler)
  app.post('/openai/deployments/:deployment/chat/completions', handler)
}

async function complete(request: FastifyRequest, reply: FastifyReply, deps: AppDeps): Promise<FastifyReply> {
  const source = request.body as JsonSource
  const { deployment } = request.params as { deployment?: string }
  const chat = parseChatRequest(deployment === undefined ? source.value : { ...source.value, model: deployment })
  const target = deps.router.resolve(chat.model)
  const stream = chat.stream === true && target.route.streaming
  const head = {
    id: createId('chatcmpl-'),
    created: Math.floor(Date.now() / 1000),
    model: chat.model,
    // A whole answer tells its usage unasked.
    includeUsage: !stream || chat.stream_options?.include_usage === true,
  }
  const outcome: Outcome = (request.outcome = {
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
    const session = sessionOf(request, chat)
    const call = {
      model: target.model,
      head,
      stream,
      source,
      signal: controller.signal,
      requestId: request.id,
      ...(session !== undefined && { session }),
      onAccount: (name: string) => void (outcome.account = name),
    }
    const frames = withOutcome(framesOf(target, chat, call, outcome), outcome, request.startedAt)
    const onWrite = deps.trace && ((bytes: Buffer) => deps.trace?.out(request.id, bytes))
    if (stream) await replyWithStream(reply, frames, deps.stream, deps.deadlines, onWrite)
    else await replyWithWhole(reply, frames, head, deps.stream.stallMs, onWrite)
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
function sessionOf({ headers }: FastifyRequest, chat: ChatRequest): string | undefined {
  const named = SESSION_HEADERS.map(name => headers[name]).find(value => typeof value === 'string' && value !== '')
  return (named as string | undefined) ?? (chat.user || undefined)
}

/** The provider's frames, with what it lacks and what the client needs put around them. */
function framesOf({ route }: Target, chat: ChatRequest, call: Call & { source: JsonSource }, outcome: Outcome): Frames {
  const { source, ...withoutSource } = call
  const asked = fromLegacyFunctions(chat)
  // What was received is sent on only where it is still what is asked.
  let frames = route.provider.chat(asked, asked === chat ? call : withoutSource)
  const stops = [chat.stop ?? []].flat()
  if (route.provider.lacks?.stop === true && stops.length > 0) frames = withStop(frames, stops, call.head)
  if (chat.functions != null) frames = withLegacyFunctions(frames, call.head)
  return withUsage(frames, {
    head: call.head,
    promptBytes: source.byteLength,
    onUsage(usage, estimated) {
      outcome.usage = usage
      outcome.estimated = estimated
    },
  })
}
