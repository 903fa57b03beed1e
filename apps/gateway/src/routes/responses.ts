import { responses } from '@millrace/dialects'
import type { FastifyInstance } from 'fastify'
import type { AppDeps } from '../app.ts'
import { answerRoute } from './answer.ts'

/** `POST /v1/responses`: what OpenAI's clients use unless told otherwise, and Codex always. */
export function responsesRoute(app: FastifyInstance, deps: AppDeps): void {
  answerRoute(app, '/v1/responses', responses, deps)
}
