import { createFlow, isObject, run, UpstreamError, type RelayCall, type UpstreamReply } from '@millrace/core'
import { createGate, refuseFailure, toUpstreamError } from '@millrace/sse-core'
import { ask, type Service } from './ask.ts'
import { createMessageEvents, toUsage } from './message-events.ts'

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/** How long a connection may take to come free behind the last event; what comes then is not read. */
const DRAIN_MS = 250
/** The version of Anthropic's API that is meant where nothing says so. */
const DEFAULT_VERSION = '2023-06-01'

/**
 * The answer of a service that speaks Anthropic's Messages itself, with the model as the only thing that is changed on the
 * way there: see `relayMessages` of `Provider`.
 *
 * @param url the endpoint
 */
export function relayMessages(service: Service, url: string, call: RelayCall): AsyncIterable<Buffer> {
  return createFlow(async sink => {
    const { model, stream, source } = call
    const isStreamAsked = source.value['stream'] === true
    const body = source.with({ model, ...(isStreamAsked && !stream && { stream: false }) })
    const headers = { 'anthropic-version': DEFAULT_VERSION, ...call.headers, ...service.headers }
    const reply = await ask({ ...service, baseUrl: url.replace(/\/messages\/*$/, ''), headers }, 'messages', body, call)
    await refuseFailure(reply)
    await run(stream ? readEvents(reply, call) : readWhole(reply, call), sink)
  })
}

/** The stream, whole events at a time. @throws {UpstreamError} what the upstream reports in it; `upstream_truncated` */
function readEvents(reply: UpstreamReply, { onUsage }: RelayCall): AsyncIterable<Buffer> {
  return createFlow(async sink => {
    const events = createMessageEvents(onUsage)
    const gate = createGate(sink)
    let last: Buffer | undefined
    await run(reply.body, read => {
      const bytes = events.push(read)
      if (!events.isOver()) return bytes.length > 0 ? gate.pass(bytes) : undefined
      last = bytes
      reply.body.endWithin(DRAIN_MS)
      return false
    })
    if (gate.isClosed()) return
    if (last !== undefined && last.length > 0) await sink(last)
    events.end()
  })
}

/** The one JSON answer, as it came. @throws {UpstreamError} it is none */
function readWhole(reply: UpstreamReply, { onUsage }: RelayCall): AsyncIterable<Buffer> {
  return createFlow(async sink => {
    const reads: Buffer[] = []
    let length = 0
    await run(reply.body, read => {
      reads.push(read)
      length += read.length
      if (length > MAX_MESSAGE_BYTES) throw badResponse('sent more than can be read')
    })
    const whole = Buffer.concat(reads)
    const message = parse(whole)
    if (!isObject(message)) throw badResponse('gave something else than a message')
    if (message['type'] !== 'message') throw toUpstreamError(message)
    const usage = toUsage(message['usage'])
    if (usage !== undefined) onUsage(usage)
    await sink(whole)
  })
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown
  } catch {
    return undefined
  }
}

function badResponse(what: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', `The upstream ${what}: is \`messagesUrl\` right?`)
}
