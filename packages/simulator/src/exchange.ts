import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { deliver } from './deliver.ts'
import type { Outcome } from './deliver.ts'
import { toErrorBody, toFault } from './error-shapes.ts'
import type { Plan } from './plan.ts'
import type { LastRequest, StatsRecorder } from './stats.ts'

/** A request that has arrived whole. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
}

const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Reads each request to its end, then hands it over; what is too long is refused. */
export function toListener(answer: (exchange: Exchange) => void): RequestListener {
  return (request, response) => {
    const pieces: Buffer[] = []
    let size = 0
    request.on('data', (piece: Buffer) => {
      size += piece.length
      if (size <= MAX_BODY_BYTES) pieces.push(piece)
    })
    request.on('end', () => {
      if (size > MAX_BODY_BYTES) sendFault(response, 413)
      else answer({ request, response, body: Buffer.concat(pieces).toString() })
    })
  }
}

/** Carries out a plan, counts its bytes, and logs how it ended in one line that names `subject`. */
export function carryOut(
  { request, response }: Exchange,
  plan: Plan,
  subject: string,
  watch: {
    readonly record: StatsRecorder['record']
    readonly log: ((line: string) => void) | undefined
    readonly closed?: (outcome: Outcome) => void
  },
): void {
  const began = performance.now()
  let bytes = 0
  deliver(plan, response, {
    wrote(count) {
      bytes += count
      watch.record.wrote(count)
    },
    closed(outcome) {
      watch.closed?.(outcome)
      const duration = Math.round(performance.now() - began)
      watch.log?.(
        `${request.method} ${request.url} ${JSON.stringify(subject)}: ${plan.status}, ${outcome} after ${duration} ms, ${bytes} bytes`,
      )
    },
  })
}

/** Fires when the client leaves, or the answer is out. */
export function toClosed({ response }: Exchange): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  return controller.signal
}

/** Whether HTTP chunks may go to the socket: HTTP/1.0 has none, and a response without a socket waits for another. */
export function isFramed({ request, response }: Exchange): boolean {
  return request.httpVersion !== '1.0' && response.socket !== null
}

export function toLastRequest({ request, body }: Exchange): LastRequest {
  const { method = '', url = '', headers } = request
  return { method, path: url, headers, authorization: headers.authorization ?? null, body }
}

/** An error in OpenAI's shape. */
export function sendFault(response: ServerResponse, status: number, code?: string, message?: string): void {
  sendJson(response, status, toErrorBody(toFault(status, message, code)))
}

export function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}
