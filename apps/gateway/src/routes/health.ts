import type { FastifyInstance } from 'fastify'
import type { AppDeps } from '../app.ts'

/**
 * `/livez`: the process turns. `/readyz`: it takes new requests. `/api/hello`: what Claude Code asks before all else. No key,
 * no details.
 */
export function healthRoute(app: FastifyInstance, { state }: AppDeps): void {
  app.get('/', live)
  app.get('/livez', live)
  app.get('/health', live)
  app.get('/api/hello', live)
  app.get('/readyz', async (_request, reply) => {
    if (!state.draining) return { status: 'ok' }
    return reply.code(503).send({ status: 'draining' })
  })
}

async function live(): Promise<object> {
  return { status: 'ok' }
}
