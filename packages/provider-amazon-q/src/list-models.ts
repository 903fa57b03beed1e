import { UpstreamError, type Model } from '@millrace/core'
import { listPages, union, type Listing } from './list-pages.ts'
import { KNOWN_MODELS } from './models.ts'
import type { OpenAccount } from './open-account.ts'

const MODELS = { operation: 'ListAvailableModels', list: 'models', id: 'modelId' } as const
const PAGE_SIZE = 50

/** Statuses of a service that has no list: then what is known without asking is the list. */
const NO_LIST: ReadonlySet<number | undefined> = new Set([404, 405, 501])

/**
 * The models of all accounts, each once. Of accounts at the same place the first is asked, those that serve everybody before
 * all others; a place that fails is left out if another one answers.
 * @throws {UpstreamError} all places fail
 */
export async function listModels(
  accounts: readonly OpenAccount[],
  listing: Listing,
  signal: AbortSignal,
): Promise<readonly Model[]> {
  const ordered = accounts.toSorted(
    (one, other) => Number(one.spec.owner !== undefined) - Number(other.spec.owner !== undefined),
  )
  const lists = new Map<string, Promise<readonly string[]>>()

  async function listOf({ credentials, place }: OpenAccount): Promise<readonly string[]> {
    if (credentials.operation === 'SendMessage') return KNOWN_MODELS
    const { endpoint, origin, profileArn } = await place(signal)
    const key = `${endpoint} ${origin} ${profileArn ?? ''}`
    const members = { origin, profileArn, maxResults: PAGE_SIZE }
    const list = lists.get(key) ?? listPages(MODELS, { credentials, endpoint, members }, listing).catch(unlessNone)
    lists.set(key, list)
    return list
  }

  const ids = await union(ordered.map(listOf))
  return ids.map(id => ({ id, owned_by: 'amazon' }))
}

function unlessNone(error: unknown): readonly string[] {
  if (error instanceof UpstreamError && NO_LIST.has(error.upstreamStatus)) return KNOWN_MODELS
  throw error
}
