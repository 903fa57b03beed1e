import { GatewayError } from '@millrace/core'
import type { FastifyInstance } from 'fastify'
import type { AppDeps } from '../app.ts'
import type { ListedModel } from '../router.ts'

/** `GET /v1/models` and `GET /v1/models/{id}`: ids as clients have to use them, in a shape that OpenAI's and Anthropic's SDKs read. */
export function modelsRoute(app: FastifyInstance, { catalogue }: AppDeps): void {
  // Upstreams that give no date get the one on which this process began to list them.
  const since = Math.floor(Date.now() / 1000)

  app.get('/v1/models', async () => {
    const data = (await catalogue.list()).map(model => toEntry(model, since))
    return { object: 'list', data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
  })

  app.get('/v1/models/*', async request => {
    const { '*': id } = request.params as { '*': string }
    const model = (await catalogue.list()).find(listed => listed.id === id)
    if (model === undefined) {
      throw new GatewayError(
        'model_not_found',
        `The model "${id.slice(0, 200)}" does not exist here; GET /v1/models lists those that do.`,
        { param: 'model' },
      )
    }
    return toEntry(model, since)
  })
}

function toEntry(
  { id, created = 0, owned_by, provider, aliasOf }: ListedModel,
  since: number,
): { id: string } & Record<string, unknown> {
  const seconds = created > 0 ? created : since
  return {
    id,
    object: 'model',
    created: seconds,
    owned_by: owned_by ?? provider,
    type: 'model',
    display_name: aliasOf === undefined ? id : `${id} (${aliasOf})`,
    created_at: new Date(seconds * 1000).toISOString(),
  }
}
