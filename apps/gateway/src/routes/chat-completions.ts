import { chat } from '@millrace/dialects'
import type { FastifyInstance } from 'fastify'
import type { AppDeps } from '../app.ts'
import { answerRoute } from './answer.ts'

/** `POST /v1/chat/completions`, and the same under the URL that Azure's clients build, where the model stands in the path. */
export function chatCompletionsRoute(app: FastifyInstance, deps: AppDeps): void {
  answerRoute(app, '/v1/chat/completions', chat, deps)
  answerRoute(app, '/openai/deployments/:deployment/chat/completions', chat, deps, ({ params }) => ({
    model: (params as { deployment: string }).deployment,
  }))
}
