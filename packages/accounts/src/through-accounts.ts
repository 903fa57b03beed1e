import type { Lease, Pool } from './pool.ts'
import { withAccounts, type WithAccountsOptions } from './with-accounts.ts'
import { run, type Sink } from '@millrace/core'

/**
 * {@link withAccounts} for flows: what the account that serves gives goes straight to the sink. Resolves at the end of it;
 * rejects as `withAccounts` throws.
 */
export async function runThroughAccounts<Item>(
  pool: Pool,
  options: WithAccountsOptions,
  attempt: (lease: Lease) => AsyncIterable<Item>,
  sink: Sink<Item>,
): Promise<void> {
  const attempts = withAccounts(pool, options, lease => beginnings(attempt(lease), sink))
  for await (const _begun of attempts);
}

/** Hands all items to the sink, and gives one sign of it, when the first has come. Ends as the items do. */
async function* beginnings<Item>(items: AsyncIterable<Item>, sink: Sink<Item>): AsyncGenerator<'begun'> {
  const first = Promise.withResolvers<boolean>()
  const ended = run(items, item => {
    first.resolve(true)
    return sink(item)
  })
  ended.then(
    () => first.resolve(false),
    () => first.resolve(false),
  )
  if (await first.promise) yield 'begun'
  await ended
}
