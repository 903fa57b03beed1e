import type { AccountChange, AccountState, KeptAccount, KeptAccounts } from '@millrace/core'
import { utcDayOf, type Clock } from './clock.ts'
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
  /** The same for accounts that one fault of the upstream concerns, its host; a function where that may change. */
  readonly place?: string | (() => string) | undefined
  /** The only caller that it serves; without one it serves all. */
  readonly owner?: string | undefined
  /** How many requests any minute may see; with no more left others serve, until there are again. */
  readonly requestsPerMinute?: number | undefined
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
  /** When the last uses began that `requestsPerMinute` looks at, by the clock that does not jump. */
  recentUses: number[]
  /** The UTC day that `requests` belongs to. */
  day: number
  requests: number
}

/** The accounts of a pool, each in the set that tells what it is good for, or in none when somebody has to mend it. */
export interface Roster {
  /** In the order of the configuration. */
  readonly accounts: ReadonlyMap<string, Account>
  /** Those that work and have requests left in this minute, least recently used first. */
  readonly healthy: ReadonlySet<Account>
  /** Those whose time has come; a look at them is only right after {@link ripen}. */
  readonly due: ReadonlySet<Account>
  /** Those that one request is trying. */
  readonly probing: ReadonlySet<Account>
  /** Those whose credential may be renewed from outside. */
  readonly renewable: ReadonlySet<Account>
  /** Moves the accounts whose time has come into `due`, and those with requests left again into `healthy`. */
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
  /** How long until an account may be tried, or has requests left, milliseconds; Infinity where it waits for no time. */
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
  /** Told of every change of a state, but for those over a restart. */
  readonly onState: ((change: AccountChange) => void) | undefined
}

const MINUTE_MS = 60_000

/** All accounts `ok` until {@link restore} or a failure says otherwise. @throws {Error} a name is used twice */
export function createRoster({ accounts: specs, limits, clock, onChange, onState }: RosterOptions): Roster & {
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
      recentUses: [],
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

  /** How long until it has requests left, milliseconds. */
  function restOf({ requestsPerMinute = Infinity, recentUses }: Entry): number {
    const [oldest = 0] = recentUses
    return recentUses.length < requestsPerMinute ? 0 : oldest + MINUTE_MS - clock.elapsed()
  }

  /** To the end of those that work, or aside until it has requests left. */
  function queue(entry: Entry): void {
    const restMs = restOf(entry)
    if (restMs > 0) return cool(entry, restMs)
    entry.dueNow = Infinity
    entry.dueElapsed = Infinity
    healthy.add(entry)
  }

  function place(entry: Entry, state: AccountState): void {
    for (const set of [healthy, due, probing, renewable]) set.delete(entry)
    cooling.delete(entry)
    entry.state = state
    entry.generation++
    if (state.state === 'ok') queue(entry)
    else cool(entry, (untilOf(state) ?? Infinity) - clock.now())
    const isSignedOut = state.state === 'auth-expired' || state.state === 'suspended'
    if (isSignedOut && entry.isRenewed !== undefined) renewable.add(entry)
  }

  function enter(account: Account, state: AccountState): void {
    const from = account.state
    place(entryOf(account), state)
    onChange()
    const isOther = from.state !== state.state || untilOf(from) !== untilOf(state)
    if (isOther) onState?.({ account: account.name, from, to: state })
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
          if (entry.state.state === 'ok') queue(entry)
          else due.add(entry)
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
      if (entry.requestsPerMinute !== undefined) {
        entry.recentUses.push(clock.elapsed())
        if (entry.recentUses.length > entry.requestsPerMinute) entry.recentUses.shift()
      }
      const isHealthy = healthy.delete(entry)
      if (isHealthy) queue(entry)
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

function untilOf(state: AccountState): number | undefined {
  return 'until' in state ? state.until : undefined
}
