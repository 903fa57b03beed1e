import type { IncomingHttpHeaders } from 'node:http'
import { toClosed } from '../exchange.ts'
import type { Exchange } from '../exchange.ts'
import type { Options } from '../options.ts'
import type { Answer } from '../scenario.ts'

/** A request on its way to a service's route. */
export interface ServiceRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The key or the token that it came with; empty where there is none. */
  readonly bearer: string
  /** What the answer calls it. */
  readonly requestId: string
  /** Fires when the client leaves, or the answer is out. */
  readonly closed: () => AbortSignal
}

export interface Reply {
  readonly answer: Answer
  /** Where not given, there are none. */
  readonly options?: Options
  /** It counts as a chat: its stream is counted as open until it ends. */
  readonly isChat?: true
  /** What it was about, for the log. */
  readonly subject?: string
}

/** The request that has arrived, which is number `count`. */
export function toServiceRequest(exchange: Exchange, count: number): ServiceRequest {
  const { method = '', url = '/', headers } = exchange.request
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(url) ?? []
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers,
    body: exchange.body,
    bearer: /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '',
    requestId: `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`,
    closed: () => toClosed(exchange),
  }
}

export function toJsonAnswer(value: object, status = 200): Answer {
  return { status, body: JSON.stringify(value) }
}

export function toHtmlAnswer(status: number, body: string): Answer {
  return { status, body, defaults: { type: 'text/html' } }
}
