import type { RequestListener } from 'node:http'
import { RequestError } from '../chat-request.ts'
import { carryOut, isFramed, toClosed, toLastRequest, toListener } from '../exchange.ts'
import type { Exchange } from '../exchange.ts'
import { OptionError, parseOptions } from '../options.ts'
import { ownRoutes } from '../own-routes.ts'
import { toPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { remainingRetryAfter } from '../retry-after.ts'
import type { StatsRecorder } from '../stats.ts'
import { QWEN_COMMANDS } from './commands.ts'
import { dashscopeRoutes } from './compatible-mode.ts'
import type { QwenControl } from './control.ts'
import { toErrorAnswer } from './error-answer.ts'
import { ServiceError, toServiceFault } from './errors.ts'
import { oauthRoutes } from './oauth.ts'
import { portalRoutes } from './portal.ts'
import type { Asked, Reply, Route, Routes } from './route.ts'
import { placesOf, SITES } from './sites.ts'
import type { Place, Site } from './sites.ts'
import type { QwenState } from './state.ts'
import type { World } from './world.ts'

export interface QwenHandlerOptions {
  readonly world: World
  readonly recorder: StatsRecorder
  readonly state: QwenState
  readonly control: QwenControl
  readonly log: ((line: string) => void) | undefined
  /** Told when the state may have changed. */
  readonly changed: () => void
}

const NO_OPTIONS = parseOptions('', [])
const NOWHERE: Route = {
  shape: () => 'compat',
  handle() {
    throw new ServiceError('no-route')
  },
}

/** What answers the requests that come to any of the sites. */
export function createQwenHandler(options: QwenHandlerOptions): RequestListener {
  const { world, recorder, log, changed } = options
  const { record, stats } = recorder
  const own = ownRoutes({ ...options, commands: QWEN_COMMANDS })
  const routes = new Map(SITES.map(site => [site, routesOf(world, site)]))

  function find(
    method: string,
    host: string | undefined,
    path: string,
  ): { readonly place: Place; readonly route: Route } {
    const places = placesOf(host, path)
    for (const place of places) {
      const route = routes.get(place.site)?.get(`${method} ${place.path}`)
      if (route !== undefined) return { place, route }
    }
    return { place: places[0]!, route: NOWHERE }
  }

  async function answer(exchange: Exchange, path: string): Promise<void> {
    const { request, response } = exchange
    record.request(toLastRequest(exchange))
    const requestId = `00000000-0000-4000-8000-${String(stats.requests).padStart(12, '0')}`
    response.setHeader('x-request-id', requestId)
    const { place, route } = find(request.method ?? '', request.headers.host, path)
    const bearer = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const sent = bearer === '' ? undefined : world.sent.note(bearer)
    const asked: Asked = {
      site: place.site,
      headers: request.headers,
      query: new URLSearchParams(/\?(.*)$/s.exec(request.url ?? '')?.[1] ?? ''),
      body: exchange.body,
      bearer,
      requestId,
      closed: () => toClosed(exchange),
    }
    const failed = createFailed(asked, route, world)
    const replying = replyTo(asked, route, failed)
    changed() // what happens before the first wait can be waited for
    const reply = await replying
    if (response.destroyed) {
      changed()
      return
    }
    const plan = planOf(reply, exchange, failed)
    if (sent !== undefined) sent.statuses[plan.status] = (sent.statuses[plan.status] ?? 0) + 1
    if (reply.isChat) record.chatBegan()
    carryOut(exchange, plan, reply.subject ?? path, {
      record,
      log,
      closed: outcome => {
        if (reply.isChat) record.chatClosed(outcome)
        changed()
      },
    })
    changed()
  }

  return toListener(exchange => {
    const path = (exchange.request.url ?? '/').replace(/\?.*$/s, '')
    const route = own.get(`${exchange.request.method} ${path}`)
    if (route !== undefined) route(exchange)
    else void answer(exchange, path)
  })
}

function routesOf(world: World, site: Site): Routes {
  if (site.kind === 'dashscope') return dashscopeRoutes(world, site)
  return site.kind === 'portal' ? portalRoutes(world) : oauthRoutes(world)
}

async function replyTo(asked: Asked, route: Route, failed: Failed): Promise<Reply> {
  try {
    return await route.handle(asked)
  } catch (error) {
    return failed(error)
  }
}

/** The plan; what is wrong with a reply's options may show only now. */
function planOf({ answer, options = NO_OPTIONS }: Reply, exchange: Exchange, failed: Failed): Plan {
  try {
    return toPlan(answer, options, isFramed(exchange))
  } catch (error) {
    return toPlan(failed(error).answer, NO_OPTIONS, isFramed(exchange))
  }
}

/** An error as an answer. @throws what is none */
type Failed = (error: unknown) => Reply

function createFailed(asked: Asked, route: Route, world: World): Failed {
  return error => {
    const shape = route.shape(asked)
    if (error instanceof ServiceError) {
      const headers = error.until === null ? {} : remainingRetryAfter(error.until - world.clock.now(), world.retryAfter)
      return { answer: toErrorAnswer(error.fault, error.fault.shape ?? shape, asked.requestId, headers) }
    }
    if (error instanceof OptionError || error instanceof RequestError) {
      const fault = toServiceFault('invalid-parameter', { message: error.message })
      return { answer: toErrorAnswer(fault, shape, asked.requestId) }
    }
    // The client has left: nobody reads what is answered.
    if ((error as Error).name === 'AbortError') return { answer: { headless: true, ending: 'open' } }
    throw error
  }
}
