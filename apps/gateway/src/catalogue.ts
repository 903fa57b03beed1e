import { GatewayError, type Model } from '@millrace/core'
import type { ListedModel, Route } from './router.ts'

/** How long a list is taken as current; after that it is still answered, and asked for again meanwhile. */
const FRESH_MS = 60_000
/** How soon an upstream that could not be asked is asked again. */
const RETRY_MS = 5000
/** How long a caller waits for upstreams that were never heard. */
const PATIENCE_MS = 3000

export interface Catalogue {
  /** All models: aliases first, then by provider in the order of the configuration. Never fails: an upstream that is down lists nothing. */
  list(): Promise<readonly ListedModel[]>
}

/** What each provider lists: its configured models, else what its upstream says, kept for a minute; and `aliases`. */
export function createCatalogue(
  routes: readonly Route[],
  onFailure: (provider: string, error: unknown) => void,
  aliases: readonly ListedModel[] = [],
): Catalogue {
  const shelves = routes.map(route => createShelf(route, onFailure))
  return {
    async list() {
      return [...aliases, ...(await Promise.all(shelves.map(shelf => shelf()))).flat()]
    },
  }
}

function createShelf(
  route: Route,
  onFailure: (provider: string, error: unknown) => void,
): () => Promise<readonly ListedModel[]> {
  let known: readonly ListedModel[] | undefined
  let dueAt = -Infinity
  let asking: Promise<void> | undefined

  const toListed = (models: readonly Model[]): readonly ListedModel[] =>
    models.map(model => ({ ...model, id: `${route.name}/${model.id}`, provider: route.name }))

  async function ask(): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    try {
      known = toListed(await route.provider.models(signal))
      dueAt = performance.now() + FRESH_MS
    } catch (error) {
      dueAt = performance.now() + RETRY_MS
      onFailure(route.name, signal.aborted ? tooSlow() : error)
    } finally {
      asking = undefined
    }
  }

  if (route.models !== undefined) {
    const configured = toListed(route.models.map(id => ({ id })))
    return async () => configured
  }
  return async () => {
    if (performance.now() >= dueAt) asking ??= ask()
    if (known === undefined) await asking
    return known ?? []
  }
}

function tooSlow(): GatewayError {
  return new GatewayError('upstream_timeout', `The upstream did not say within ${PATIENCE_MS / 1000} s.`)
}
