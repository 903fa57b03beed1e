import type { SimulatedClock } from './clock.ts'
import { ServiceError } from './errors.ts'
import type { ErrorName } from './errors.ts'
import { createQuota } from './quotas.ts'
import type { Quota, Refusal } from './quotas.ts'

/** Whose quota it is: one key, or several that belong together, or all tokens of one sign-in. */
export interface Account {
  readonly name: string
  readonly quota: Quota
  exhausted: Refusal | null
  suspended: ErrorName | null
  /** What the next requests get, as wishes; an empty one is an ordinary answer. */
  readonly answers: string[]
}

export interface Accounts {
  /** The account of that name, which exists from then on. */
  named(name: string): Account
  all(): Iterable<Account>
  /**
   * Lets one more request through, and counts it.
   * @throws {ServiceError} the account is suspended, exhausted or at a limit
   */
  admit(account: Account): void
  /** Everything is well again with the account; its limits stay. */
  restore(account: Account): void
  reset(): void
}

export function createAccounts(clock: SimulatedClock): Accounts {
  const accounts = new Map<string, Account>()

  function refusalOf({ suspended, exhausted, quota }: Account, now: number): Refusal | null {
    if (suspended !== null) return { error: suspended, until: null }
    if (exhausted !== null && (exhausted.until === null || now < exhausted.until)) return exhausted
    return quota.refusal(now)
  }

  return {
    named(name) {
      let account = accounts.get(name)
      if (account === undefined) {
        account = { name, quota: createQuota(), exhausted: null, suspended: null, answers: [] }
        accounts.set(name, account)
      }
      return account
    },
    all: () => accounts.values(),
    admit(account) {
      const now = clock.now()
      const refusal = refusalOf(account, now)
      if (refusal !== null) throw new ServiceError(refusal.error, undefined, refusal.until)
      account.quota.count(now)
    },
    restore(account) {
      account.exhausted = null
      account.suspended = null
      account.answers.length = 0
      account.quota.reset()
    },
    reset: () => accounts.clear(),
  }
}
