import { createFlow, run, type JsonSource, type Provider, type RelayCall } from '@millrace/core'
import { messages, messagesRelay } from '@millrace/dialects'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppDeps } from '../app.ts'
import type { Outcome } from '../outcome.ts'
import { replyWithStream } from '../reply/stream.ts'
import { replyWithWhole } from '../reply/whole.ts'
import type { Target } from '../router.ts'
import { serveCall } from './serve-call.ts'

/** Headers of clients that are for those who speak their dialect. */
const HEADERS = ['anthropic-version', 'anthropic-beta'] as const

/**
 * Answers a request through an upstream that speaks the client's dialect itself: what either says goes to the other as it
 * is. @throws as {@link serveCall}
 */
export function relayMessages(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: AppDeps,
  target: Target,
  relay: NonNullable<Provider['relayMessages']>,
): Promise<FastifyReply> {
  const source = request.body as JsonSource
  const stream = source.value['stream'] === true && target.route.streaming
  const facts = { dialect: messages.name, model: String(source.value['model']), target, stream, user: undefined }

  return serveCall(request, reply, deps, facts, async (begun, outcome) => {
    const call: RelayCall = {
      ...begun,
      stream,
      source,
      headers: headersOf(request),
      onUsage: usage => void (outcome.usage = usage),
    }
    const events = withPieces(relay(call), outcome, request.startedAt)
    const onWrite = deps.trace && ((bytes: Buffer) => deps.trace?.out(request.id, bytes))
    if (stream) await replyWithStream(reply, events, messagesRelay, deps.stream, deps.deadlines, onWrite)
    else await replyWithWhole(reply, Buffer.concat(await Array.fromAsync(events)), deps.stream.stallMs, onWrite)
  })
}

function headersOf({ headers }: FastifyRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    HEADERS.flatMap(name => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  )
}

/** The same bytes, counted into the outcome as they pass. */
function withPieces(bytes: AsyncIterable<Buffer>, outcome: Outcome, startedAt: number): AsyncIterable<Buffer> {
  return createFlow(sink =>
    run(bytes, piece => {
      outcome.firstFrameMs ??= performance.now() - startedAt
      outcome.frames++
      return sink(piece)
    }),
  )
}
