import type { IncomingHttpHeaders } from 'node:http'
import type { Options } from '../options.ts'
import type { Answer } from '../scenario.ts'
import type { Shape } from './error-answer.ts'
import type { Site } from './sites.ts'

/** A request on its way to a route. */
export interface Asked {
  readonly site: Site
  readonly headers: IncomingHttpHeaders
  readonly query: URLSearchParams
  readonly body: string
  /** The key or the token that it came with; empty where there is none. */
  readonly bearer: string
  /** Goes into bodies, and stands in the header `x-request-id`. */
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

export interface Route {
  /** How errors are written. */
  readonly shape: (asked: Asked) => Shape
  /** @throws {ServiceError | OptionError | RequestError} what is answered in the route's shape */
  readonly handle: (asked: Asked) => Reply | Promise<Reply>
}

/** Method, blank, path below the site → route. */
export type Routes = ReadonlyMap<string, Route>

/** A JSON answer. */
export function toJsonAnswer(value: object, status = 200): Answer {
  return { status, body: JSON.stringify(value) }
}
