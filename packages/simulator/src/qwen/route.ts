import type { Reply, ServiceRequest } from '../service/route.ts'
import type { Shape } from './error-answer.ts'
import type { Site } from './sites.ts'

/** A request on its way to a route. */
export interface Asked extends ServiceRequest {
  readonly site: Site
}

export interface Route {
  /** How errors are written. */
  readonly shape: (asked: Asked) => Shape
  /** @throws {ServiceError | OptionError | RequestError} what is answered in the route's shape */
  readonly handle: (asked: Asked) => Reply | Promise<Reply>
}

/** Method, blank, path below the site → route. */
export type Routes = ReadonlyMap<string, Route>
