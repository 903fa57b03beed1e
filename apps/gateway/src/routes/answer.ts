import { createId, type Call, type ChatRequest, type Frames, type JsonSource, type Usage } from '@millrace/core'
import type { Asked, Dialect, Members } from '@millrace/dialects'
import { inTurn, withStop, withUsage } from '@millrace/sse-core'
import { countRequestTokens, countTokens } from '@millrace/tokens'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppDeps } from '../app.ts'
import { withOutcome, type Outcome } from '../outcome.ts'
import { replyWithStream } from '../reply/stream.ts'
import { replyWithWhole } from '../reply/whole.ts'
import type { Route, Target } from '../router.ts'
import { serveCall } from './serve-call.ts'

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

/** Answers one request for a model's words: read, routed, asked, replied to. @throws as {@link serveCall} */
export function answer(
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
  const facts = { dialect: dialect.name, model: chat.model, target, stream, user: chat.user }

  return serveCall(request, reply, deps, facts, async (begun, outcome) => {
    // What was received is sent on only where it is still what is asked.
    const call: Call = { ...begun, head, stream, ...(asked.isVerbatim && { source }) }
    const frames = withOutcome(framesOf(target, asked, call, source.byteLength, outcome), outcome, request.startedAt)
    const onWrite = deps.trace && ((bytes: Buffer) => deps.trace?.out(request.id, bytes))
    if (stream) {
      const encoder = asked.createEncoder(head, source.byteLength)
      await replyWithStream(reply, frames, encoder, deps.stream, deps.deadlines, onWrite)
    } else await replyWithWhole(reply, await asked.collect(frames, head), deps.stream.stallMs, onWrite)
  })
}

/** The provider's frames, with what it lacks and what the client needs put around them. */
function framesOf({ route }: Target, asked: Asked, call: Call, promptBytes: number, outcome: Outcome): Frames {
  const { chat, further = [], adapt } = asked
  let frames = further.length === 0 ? route.provider.chat(chat, call) : askInTurn([chat, ...further], route, call)
  const stops = [chat.stop ?? []].flat()
  if (route.provider.lacks?.stop === true && stops.length > 0) frames = withStop(frames, stops, call.head)
  if (adapt !== undefined) frames = adapt(frames, call.head)
  return withUsage(frames, {
    head: call.head,
    promptBytes,
    count: route.provider.lacks?.usage ? texts => countUsage([chat, ...further], texts) : undefined,
    onUsage(usage, estimated) {
      outcome.usage = usage
      outcome.estimated = estimated
    },
  })
}

async function countUsage(requests: readonly ChatRequest[], texts: readonly string[]): Promise<Usage> {
  let prompt_tokens = 0
  for (const request of requests) prompt_tokens += await countRequestTokens(request)
  const completion_tokens = await countTokens(texts)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

function askInTurn(requests: readonly ChatRequest[], { provider }: Route, call: Call): Frames {
  const choices = requests[0]!.n ?? 1
  return inTurn(
    requests.map(request => provider.chat(request, call)),
    choices,
    call.head,
  )
}
