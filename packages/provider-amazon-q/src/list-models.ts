import { UpstreamError, type Model } from '@millrace/core'
import { isObject, parseJson, textOf, type Json } from './json.ts'
import { KNOWN_MODELS } from './models.ts'
import { toListRequest } from './operations.ts'
import { readAtMost, type Sender } from './send.ts'
import type { AmazonQConfig } from './config.ts'
import type { OpenAccount, Place } from './open-account.ts'

const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** More models than this have no place in a list. */
const MAX_PAGES = 20
const PAGE_SIZE = 50

/** Statuses of a service that has no list: then what is known without asking is the list. */
const NO_LIST: ReadonlySet<number | undefined> = new Set([404, 405, 501])

interface Listing {
  readonly sender: Sender
  readonly flavour: AmazonQConfig['flavour']
  readonly signal: AbortSignal
}

/**
 * The models of all accounts, each once. Of accounts at the same place the first is asked, those that serve everybody before
 * all others; a place that fails is left out if another one answers.
 * @throws {UpstreamError} all places fail
 */
export async function listModels(accounts: readonly OpenAccount[], listing: Listing): Promise<readonly Model[]> {
  const ordered = accounts.toSorted(
    (one, other) => Number(one.spec.owner !== undefined) - Number(other.spec.owner !== undefined),
  )
  const lists = new Map<string, Promise<readonly string[]>>()
  const results = await Promise.allSettled(
    ordered.map(async account => {
      if (account.credentials.operation === 'SendMessage') return KNOWN_MODELS
      const place = await account.place(listing.signal)
      const key = `${place.endpoint} ${place.profileArn ?? ''}`
      const list = lists.get(key) ?? listOf(account, place, listing)
      lists.set(key, list)
      return list
    }),
  )
  const failed = results.find(result => result.status === 'rejected')
  const ids = results.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  if (failed !== undefined && results.every(({ status }) => status === 'rejected')) throw failed.reason
  return Array.from(new Set(ids), id => ({ id, owned_by: 'amazon' }))
}

async function listOf(account: OpenAccount, place: Place, listing: Listing): Promise<readonly string[]> {
  const ids: string[] = []
  let nextToken: string | undefined
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const list = await readPage(account, place, nextToken, listing)
      for (const model of Array.isArray(list['models']) ? (list['models'] as unknown[]) : []) {
        const id = isObject(model) ? textOf(model['modelId']) : ''
        if (id !== '') ids.push(id)
      }
      nextToken = textOf(list['nextToken']) || undefined
      if (nextToken === undefined) break
    }
    return ids
  } catch (error) {
    if (error instanceof UpstreamError && NO_LIST.has(error.upstreamStatus)) return KNOWN_MODELS
    throw error
  }
}

async function readPage(
  account: OpenAccount,
  { endpoint, origin, profileArn }: Place,
  nextToken: string | undefined,
  { sender, flavour }: Listing,
): Promise<Json> {
  const request = toListRequest(flavour, endpoint, { origin, profileArn, nextToken, maxResults: PAGE_SIZE })
  const { reply } = await sender.send(account, request)
  const page = parseJson((await readAtMost(reply.body, MAX_PAGE_BYTES)).toString())
  if (isObject(page)) return page
  throw new UpstreamError('upstream_bad_response', 'The upstream answered with something that is no list of models.')
}
