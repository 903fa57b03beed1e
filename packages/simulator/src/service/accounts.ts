import type { SimulatedClock } from './clock.ts'
import type { Amounts, Quota, Refusal } from './quotas.ts'

/** Whose quota it is: one key, or several that belong together, or all tokens of one sign-in. */
export interface Account<WindowName extends string, ErrorName> {
  readonly name: string
  readonly quota: Quota<WindowName, ErrorName>
  exhausted: Refusal<ErrorName> | null
  suspended: ErrorName | null
  /** What the next requests get, as wishes; an empty one is an ordinary answer. */
  readonly answers: string[]
}

export interface Accounts<WindowName extends string, ErrorName> {
  /** The account of that name, which exists from then on. */
  named(name: string): Account<WindowName, ErrorName>
  all(): Iterable<Account<WindowName, ErrorName>>
  /** Why no request of the account is let through now: it is suspended, exhausted or at a limit. */
  refusal(account: Account<WindowName, ErrorName>, amounts?: Amounts<WindowName>): Refusal<ErrorName> | null
  /** Everything is well again with the account; its limits stay. */
  restore(account: Account<WindowName, ErrorName>): void
  reset(): void
}

export function createAccounts<WindowName extends string, ErrorName>(
  clock: SimulatedClock,
  toQuota: () => Quota<WindowName, ErrorName>,
): Accounts<WindowName, ErrorName> {
  const accounts = new Map<string, Account<WindowName, ErrorName>>()

  return {
    named(name) {
      let account = accounts.get(name)
      if (account === undefined) {
        account = { name, quota: toQuota(), exhausted: null, suspended: null, answers: [] }
        accounts.set(name, account)
      }
      return account
    },
    all: () => accounts.values(),
    refusal({ suspended, exhausted, quota }, amounts) {
      const now = clock.now()
      if (suspended !== null) return { error: suspended, until: null }
      if (exhausted !== null && (exhausted.until === null || now < exhausted.until)) return exhausted
      return quota.refusal(now, amounts)
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
