import { utcDayOf, type Clock } from './clock.ts'
import type { AccountState, KeptAccount, KeptAccounts } from '@millrace/core'
import { afterFailure, afterRestart, isGraver, type AccountFailure, type Limits } from './states.ts'

export interface AccountSpec {
  readonly name: string
  /** Tells the credential from its successor: what was known of another one under the same name is forgotten. */
  readonly fingerprint?: string | undefined
  /**
   * Whether the credential has been renewed from outside, by a sign-in in another process for instance. Asked now and
   * then while the account is `auth-expired` or `suspended`; a yes lets the next request try it.
   */
  readonly isRenewed?: (() => Promise<boolean>) | undefined
}

export interface Account extends AccountSpec {
  readonly state: AccountState
  /** Grows with every change of state: tells what was begun before it from what was begun since. */
  readonly generation: number
  /** Unix time, milliseconds. */
  readonly lastUsedAt: number | undefined
  /** Leases that have not ended. */
  active: number
}

interface Entry extends Account {
  state: AccountState
  generation: number
  lastUsedAt: number | undefined
  /** When it may be tried again, by the wall clock and by the one that does not jump: whichever comes first. */
  dueNow: number
  dueElapsed: number
  /** The UTC day that `requests` belongs to. */
  day: number
  requests: number
}

/** The accounts of a pool, each in the set that tells what it is good for, or in none when somebody has to mend it. */
export interface Roster {
  /** In the order of the configuration. */
  readonly accounts: ReadonlyMap<string, Account>
  /** Those that work, least recently used first. */
  readonly healthy: ReadonlySet<Account>
  /** Those whose time has come; a look at them is only right after {@link ripen}. */
  readonly due: ReadonlySet<Account>
  /** Those that one request is trying. */
  readonly probing: ReadonlySet<Account>
  /** Those whose credential may be renewed from outside. */
  readonly renewable: ReadonlySet<Account>
  /** Moves the accounts whose time has come into `due`. */
  ripen(): void
  /** Counts a use. An account that is not healthy is being tried from now on: true for that. */
  use(account: Account): boolean
  /** Puts an account into a state. */
  enter(account: Account, state: AccountState): void
  /** Puts an account into the state that follows from a failure; `generation` is that of the time when the use began. */
  fail(account: Account, failure: AccountFailure, generation: number): void
  /** Ends a trial that told nothing: the account may be tried again when it might have been, but not for `delayMs`. */
  giveUpProbe(account: Account, delayMs: number): void
  /** Lets the next request try an account. */
  makeDue(account: Account): void
  /** How long until an account may be tried, milliseconds; Infinity where somebody has to mend it. */
  waitOf(account: Account): number
  requestsToday(account: Account): number
  /** What to keep of all accounts over a restart. */
  snapshot(): KeptAccounts
}

interface RosterOptions {
  readonly accounts: readonly AccountSpec[]
  readonly limits: Limits
  readonly clock: Clock
  /** Called after every change of a state and every use. */
  readonly onChange: () => void
}

/** All accounts `ok` until {@link restore} or a failure says otherwise. @throws {Error} a name is used twice */
export function createRoster({ accounts: specs, limits, clock, onChange }: RosterOptions): Roster & {
  /** Takes over what was kept over a restart. */
  restore(kept: KeptAccounts): void
} {
  const accounts = new Map<string, Entry>()
  const healthy = new Set<Account>()
  const cooling = new Set<Entry>()
  const due = new Set<Account>()
  const probing = new Set<Account>()
  const renewable = new Set<Account>()
  /** The earliest moments at which something in `cooling` is due. */
  let nextNow = Infinity
  let nextElapsed = Infinity

  for (const spec of specs) {
    if (accounts.has(spec.name)) throw new Error(`Two accounts have the name ${spec.name}.`)
    const state: AccountState = { state: 'ok', since: clock.now(), reason: '' }
    accounts.set(spec.name, {
      ...spec,
      state,
      generation: 0,
      lastUsedAt: undefined,
      dueNow: Infinity,
      dueElapsed: Infinity,
      day: 0,
      requests: 0,
      active: 0,
    })
  }
  for (const account of accounts.values()) healthy.add(account)

  const entryOf = (account: Account): Entry => accounts.get(account.name)!

  function cool(entry: Entry, waitMs: number): void {
    entry.dueNow = clock.now() + waitMs
    entry.dueElapsed = clock.elapsed() + waitMs
    awaitDue(entry)
  }

  function awaitDue(entry: Entry): void {
    if (entry.dueElapsed === Infinity) return
    cooling.add(entry)
    nextNow = Math.min(nextNow, entry.dueNow)
    nextElapsed = Math.min(nextElapsed, entry.dueElapsed)
  }

  function place(entry: Entry, state: AccountState): void {
    for (const set of [healthy, due, probing, renewable]) set.delete(entry)
    cooling.delete(entry)
    entry.state = state
    entry.generation++
    if (state.state === 'ok') healthy.add(entry)
    cool(entry, 'until' in state && state.until !== undefined ? state.until - clock.now() : Infinity)
    const isSignedOut = state.state === 'auth-expired' || state.state === 'suspended'
    if (isSignedOut && entry.isRenewed !== undefined) renewable.add(entry)
  }

  function enter(account: Account, state: AccountState): void {
    place(entryOf(account), state)
    onChange()
  }

  return {
    accounts,
    healthy,
    due,
    probing,
    renewable,
    enter,
    ripen() {
      const now = clock.now()
      const elapsed = clock.elapsed()
      if (now < nextNow && elapsed < nextElapsed) return
      nextNow = Infinity
      nextElapsed = Infinity
      for (const entry of cooling) {
        if (now >= entry.dueNow || elapsed >= entry.dueElapsed) {
          cooling.delete(entry)
          due.add(entry)
        } else awaitDue(entry)
      }
    },
    use(account) {
      const entry = entryOf(account)
      const now = clock.now()
      const today = utcDayOf(now)
      entry.requests = entry.day === today ? entry.requests + 1 : 1
      entry.day = today
      entry.lastUsedAt = now
      entry.active++
      const isHealthy = healthy.delete(entry)
      if (isHealthy) healthy.add(entry)
      else {
        cooling.delete(entry)
        due.delete(entry)
        probing.add(entry)
      }
      onChange()
      return !isHealthy
    },
    fail(account, failure, generation) {
      const again = account.generation === generation
      const next = afterFailure(account.state, failure, { now: clock.now(), again, limits })
      if (again || isGraver(next, account.state)) enter(account, next)
    },
    giveUpProbe(account, delayMs) {
      const entry = entryOf(account)
      probing.delete(entry)
      entry.dueNow = Math.max(entry.dueNow, clock.now() + delayMs)
      entry.dueElapsed = Math.max(entry.dueElapsed, clock.elapsed() + delayMs)
      awaitDue(entry)
      onChange()
    },
    makeDue(account) {
      cool(entryOf(account), 0)
      onChange()
    },
    waitOf(account) {
      const { dueNow, dueElapsed } = entryOf(account)
      return Math.max(0, Math.min(dueNow - clock.now(), dueElapsed - clock.elapsed()))
    },
    requestsToday(account) {
      const { day, requests } = entryOf(account)
      return day === utcDayOf(clock.now()) ? requests : 0
    },
    snapshot() {
      const kept = new Map<string, KeptAccount>()
      for (const { name, state, fingerprint, lastUsedAt, day, requests } of accounts.values()) {
        kept.set(name, { state, fingerprint, lastUsedAt, day, requests })
      }
      return kept
    },
    restore(kept) {
      for (const entry of accounts.values()) {
        const known = kept.get(entry.name)
        if (known === undefined) continue
        entry.lastUsedAt = known.lastUsedAt
        entry.day = known.day
        entry.requests = known.requests
        const isSame = known.fingerprint === entry.fingerprint || known.state.state === 'disabled'
        if (isSame) place(entry, afterRestart(known.state, clock.now(), limits))
      }
      // By now in the order of the configuration, which is not that of the last use.
      const order = [...healthy].toSorted((one, other) => (one.lastUsedAt ?? 0) - (other.lastUsedAt ?? 0))
      healthy.clear()
      for (const account of order) healthy.add(account)
    },
  }
}
