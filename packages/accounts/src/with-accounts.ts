import { UpstreamError, type FailureCode } from '@millrace/core'
import type { Lease, Pool } from './pool.ts'
import type { Verdict } from './states.ts'

export interface WithAccountsOptions {
  /** See {@link LeaseOptions.sticky}. */
  readonly sticky?: string | undefined
  /** See {@link LeaseOptions.caller}. */
  readonly caller?: string | undefined
  /** Aborts when the client leaves, which is no failure of the account. */
  readonly signal: AbortSignal
  /** Told the name of the account before each attempt; the last one told is the one that serves. */
  readonly onAccount?: ((name: string) => void) | undefined
  /** What a failure means for the account, where its code says too little. */
  readonly verdictOf?: ((error: unknown) => Verdict | undefined) | undefined
}

const MAX_ATTEMPTS = 3

/**
 * What `attempt` yields with the first account that yields anything. While nothing has been yielded, a failure that is a
 * matter of the account (its rate, quota, credential) moves on to the next account at once, and one that is a matter of its
 * place (not reached, or broken down) to the next at another place; at most three in all. Every other failure is thrown as
 * it is, and so is every failure later on: nothing is yielded twice. Lazy; leaving the loop ends the attempt.
 * @throws what the last attempt threw; {@link UpstreamError} of {@link Pool.lease} where no account is left, with what the
 * last attempt threw as its cause
 */
export async function* withAccounts<Item>(
  pool: Pool,
  { sticky, caller, signal, onAccount, verdictOf }: WithAccountsOptions,
  attempt: (lease: Lease) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const exclude = new Set<string>()
  let failure: unknown
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    let lease: Lease
    try {
      lease = await pool.lease({ sticky, caller, exclude, signal })
    } catch (error) {
      // Of an only account, or of its place, the upstream's own words say more than ours about it.
      if (failure !== undefined && (pool.size === 1 || isOfPlace(failure))) throw failure
      if (failure !== undefined && error instanceof Error) error.cause ??= failure
      throw error
    }
    exclude.add(lease.name)
    onAccount?.(lease.name)
    let begun = false
    try {
      for await (const item of attempt(lease)) {
        if (!begun) lease.succeed()
        begun = true
        yield item
      }
      lease.succeed()
      return
    } catch (error) {
      if (signal.aborted) throw error
      const isOfAccount = lease.fail(error, verdictOf?.(error))
      if (begun || !(isOfAccount || isOfPlace(error))) throw error
      if (!isOfAccount) for (const name of pool.neighboursOf(lease.name)) exclude.add(name)
      failure = error
    } finally {
      lease.release()
    }
  }
  throw failure
}

const UNREACHED: ReadonlySet<FailureCode> = new Set(['connect_failed', 'connect_timeout', 'tls_error'])

/** Whether the upstream was not reached, or said that it is the one at fault. */
function isOfPlace(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.status < 500) return false
  return UNREACHED.has(error.code) || (error.upstreamStatus ?? 0) >= 500
}

/** {@link withAccounts} for a call with one answer. */
export async function withAccount<Answer>(
  pool: Pool,
  options: WithAccountsOptions,
  attempt: (lease: Lease) => Promise<Answer>,
): Promise<Answer> {
  const answers = withAccounts(pool, options, async function* (lease) {
    yield { answer: await attempt(lease) }
  })
  for await (const { answer } of answers) return answer
  throw new Error('An attempt that succeeds yields its answer.')
}
