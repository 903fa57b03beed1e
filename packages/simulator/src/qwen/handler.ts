import { isImproper } from '../chat-request.ts'
import type { ServiceHandler } from '../service/listener.ts'
import { remainingRetryAfter } from '../service/retry-after.ts'
import { dashscopeRoutes } from './compatible-mode.ts'
import { toErrorAnswer } from './error-answer.ts'
import { ServiceError } from './errors.ts'
import { oauthRoutes } from './oauth.ts'
import { portalRoutes } from './portal.ts'
import type { Asked, Route, Routes } from './route.ts'
import { placesOf, SITES } from './sites.ts'
import type { Site } from './sites.ts'
import type { World } from './world.ts'

const NOWHERE: Route = {
  shape: () => 'compat',
  handle() {
    throw new ServiceError('no-route')
  },
}

/** What answers the requests that come to any of the sites. */
export function createQwenHandler(world: World): ServiceHandler {
  const routes = new Map(SITES.map(site => [site, routesOf(world, site)]))

  function find(
    method: string,
    host: string | undefined,
    path: string,
  ): { readonly site: Site; readonly route: Route } {
    const places = placesOf(host, path)
    for (const { site, path } of places) {
      const route = routes.get(site)?.get(`${method} ${path}`)
      if (route !== undefined) return { site, route }
    }
    return { site: places[0]!.site, route: NOWHERE }
  }

  return (request, response) => {
    response.setHeader('x-request-id', request.requestId)
    const { site, route } = find(request.method, request.headers.host, request.path)
    const asked: Asked = { ...request, site }
    return {
      handle: () => route.handle(asked),
      toErrorAnswer(error) {
        const refusal = isImproper(error) ? new ServiceError('invalid-parameter', error.message) : error
        if (!(refusal instanceof ServiceError)) return undefined
        const { fault, until } = refusal
        const headers = until === null ? {} : remainingRetryAfter(until - world.clock.now(), world.retryAfter)
        return toErrorAnswer(fault, fault.shape ?? route.shape(asked), asked.requestId, headers)
      },
      answered: world.sent.note(asked.bearer),
    }
  }
}

function routesOf(world: World, site: Site): Routes {
  if (site.kind === 'dashscope') return dashscopeRoutes(world, site)
  return site.kind === 'portal' ? portalRoutes(world) : oauthRoutes(world)
}
