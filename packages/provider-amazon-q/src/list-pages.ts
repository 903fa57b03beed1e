import { isObject, parseJson, textOf, UpstreamError } from '@millrace/core'
import { readAtMost } from '@millrace/sse-core'
import type { AmazonQConfig } from './config.ts'
import { toListRequest, type ListOperation } from './operations.ts'
import type { Sender } from './send.ts'
import type { Credentials } from './sign-in/credentials.ts'

const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** More than this has no place in a list. */
const MAX_PAGES = 20

/** What a list is of: the operation, and how its answers call the list and what names each of its items. */
interface Kind {
  readonly operation: ListOperation
  readonly list: string
  readonly id: string
}

interface Asked {
  readonly credentials: Credentials
  readonly endpoint: string
  /** Sent with the request for each page. */
  readonly members: Readonly<Record<string, string | number | undefined>>
}

export interface Listing {
  readonly sender: Sender
  readonly flavour: AmazonQConfig['flavour']
}

/** The names of all items of a list, page by page. @throws {UpstreamError} */
export async function listPages(
  { operation, list, id }: Kind,
  { credentials, endpoint, members }: Asked,
  { sender, flavour }: Listing,
): Promise<readonly string[]> {
  const ids: string[] = []
  let nextToken: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const request = toListRequest(operation, flavour, endpoint, { ...members, nextToken })
    const { reply } = await sender.send(credentials, request)
    const page = parseJson((await readAtMost(reply.body, MAX_PAGE_BYTES)).toString())
    if (!isObject(page)) {
      throw new UpstreamError('upstream_bad_response', 'The upstream answered with something that is no list.')
    }
    const items: readonly unknown[] = Array.isArray(page[list]) ? page[list] : []
    ids.push(...items.map(item => (isObject(item) ? textOf(item[id]) : '')).filter(Boolean))
    nextToken = textOf(page['nextToken']) || undefined
    if (nextToken === undefined) break
  }
  return ids
}

/** What stands in any of the lists, each once; one that fails is left out if another one does not. @throws as the lists do */
export async function union(lists: readonly Promise<readonly string[]>[]): Promise<readonly string[]> {
  const results = await Promise.allSettled(lists)
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined && results.every(({ status }) => status === 'rejected')) throw failed.reason
  return [...new Set(results.flatMap(result => (result.status === 'fulfilled' ? result.value : [])))]
}
