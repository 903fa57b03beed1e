import type { JsonSource } from '@millrace/core'
import { messages, readTokenCount } from '@millrace/dialects'
import type { FastifyInstance } from 'fastify'
import type { AppDeps } from '../app.ts'
import { answer } from './answer.ts'
import { relayMessages } from './relay-messages.ts'

/** `POST /v1/messages`, and `POST /v1/messages/count_tokens`, which asks no upstream. */
export function messagesRoute(app: FastifyInstance, deps: AppDeps): void {
  app.post('/v1/messages', { config: { dialect: messages } }, (request, reply) => {
    const { model } = (request.body as JsonSource).value
    // What is wrong with a body without a model is for its reader to say.
    const target = typeof model === 'string' && model !== '' ? deps.router.resolve(model) : undefined
    const relay = target?.route.provider.relayMessages
    return target === undefined || relay === undefined
      ? answer(request, reply, messages, deps)
      : relayMessages(request, reply, deps, target, relay)
  })

  app.post('/v1/messages/count_tokens', { config: { dialect: messages } }, request => {
    const { model, count } = readTokenCount((request.body as JsonSource).value)
    deps.router.resolve(model)
    return count()
  })
}
