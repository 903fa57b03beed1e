import type { FastifyInstance } from 'fastify'
import { ACCOUNT_ACTIONS, createAccountDesk } from '../account-desk.ts'
import type { AppDeps } from '../app.ts'
import { createKeyCheck } from '../hooks/auth.ts'
import { createClientController } from '../reply/client-signal.ts'

type Strategy = Parameters<FastifyInstance['addConstraintStrategy']>[0]
type Handler = NonNullable<ReturnType<ReturnType<Strategy['storage']>['get']>>

/**
 * `GET /admin/accounts`, and `POST /admin/accounts/{provider}/{name}/clear`, `…/probe` and `…/disable`. That the request
 * brings the admin key is a condition of the routes: to whoever lacks it they are not there, as any other URL.
 */
export function adminRoute(app: FastifyInstance, { router, adminKey, calls }: AppDeps): void {
  if (adminKey === undefined) return
  const hasKey = createKeyCheck(adminKey)
  app.addConstraintStrategy({
    name: 'admin',
    storage() {
      const handlers = new Map<unknown, Handler>()
      return { get: value => handlers.get(value) ?? null, set: (value, handler) => void handlers.set(value, handler) }
    },
    deriveConstraint: request => (isAdminUrl(request.url ?? '') ? hasKey(request.headers) : undefined),
  })
  const desk = createAccountDesk(router.routes)
  const constraints = { admin: true }

  app.get('/admin/accounts', { constraints }, async () => ({ object: 'list', data: await desk.list() }))

  for (const action of ACCOUNT_ACTIONS) {
    app.post(`/admin/accounts/:provider/:name/${action}`, { constraints }, async (request, reply) => {
      const { provider, name } = request.params as { provider: string; name: string }
      const controller = createClientController(reply.raw)
      calls.add(controller)
      try {
        return await desk.act(provider, name, action, controller.signal)
      } finally {
        calls.delete(controller)
      }
    })
  }
}

/** Whether a URL is one of those that are for whoever runs the gateway: no page of another origin may ask for it. */
export function isAdminUrl(url: string): boolean {
  return /^\/admin(?:$|[/?])/.test(url)
}
