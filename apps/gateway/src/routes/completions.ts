import { completions } from '@millrace/dialects'
import type { FastifyInstance } from 'fastify'
import type { AppDeps } from '../app.ts'
import { answerRoute } from './answer.ts'

/** `POST /v1/completions`: the older way of asking, over chat. */
export function completionsRoute(app: FastifyInstance, deps: AppDeps): void {
  answerRoute(app, '/v1/completions', completions, deps)
}
