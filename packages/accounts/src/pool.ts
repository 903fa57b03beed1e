import { GatewayError, type AccountChange, type AccountState, type AccountStates } from '@millrace/core'
import { systemClock, type Clock } from './clock.ts'
import { toNoAccountError } from './no-account.ts'
import { orAborted } from './or-aborted.ts'
import { createRoster, type Account, type AccountSpec } from './roster.ts'
import { accountFailureOf, LIMITS, type Limits, type Verdict } from './states.ts'
import { createSticky } from './sticky.ts'

export interface PoolOptions {
  /** The name of the provider, in errors and in the state file. */
  readonly provider: string
  readonly accounts: readonly AccountSpec[]
  /** Where states outlive the process; without it they do not. */
  readonly states?: AccountStates | undefined
  /** Told of every change of a state, but for those over a restart. */
  readonly onChange?: ((change: AccountChange) => void) | undefined
  readonly limits?: Partial<Limits> | undefined
  /** How long a request waits when no account is left: for the outcome of another one's probe, or for its turn. Milliseconds. */
  readonly probeWaitMs?: number | undefined
  readonly clock?: Clock | undefined
}

export interface LeaseOptions {
  /** What belongs together, such as a session: it stays with one account for as long as that is healthy. */
  readonly sticky?: string | undefined
  /** Names of the accounts that this request has tried already. */
  readonly exclude?: ReadonlySet<string> | undefined
  /** Whose request it is: the accounts of other owners are left out. */
  readonly caller?: string | undefined
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

/** The use of one account by one request. It ends with `fail` or `release`, whichever comes first. */
export interface Lease {
  readonly name: string
  /** Whether this request, and no other, finds out if the account works again. */
  readonly probe: boolean
  /** The upstream took the request: the account is well. What comes later may still `fail`. */
  succeed(): void
  /** Records a failure. Whether it is a matter of the account, so that another account may do better. */
  fail(error: unknown, verdict?: Verdict): boolean
  /** Ends the lease without a word on the account. */
  release(): void
}

export interface AccountStatus {
  readonly name: string
  readonly state: AccountState
  /** Unix time, milliseconds. */
  readonly lastUsedAt: number | undefined
  /** Upstream requests since midnight UTC. */
  readonly requestsToday: number
  /** Leases that have not ended. */
  readonly active: number
  /** Whether a request is finding out if the account works again. */
  readonly probing: boolean
}

export interface Pool {
  readonly size: number
  /**
   * An account for one request: that of the sticky key, or as a probe one whose time has come, or the healthy one that was
   * not used for longest. A request that has tried one in vain is given a healthy one sooner than a probe. Waits only where
   * everything depends on the outcome of a probe, or an account has no requests left in this minute.
   * @throws {UpstreamError} of {@link toNoAccountError}
   * @throws {GatewayError} when `signal` fires; `account_not_shared` where all accounts have other owners
   */
  lease(options?: LeaseOptions): Lease | Promise<Lease>
  /** In the order of the configuration. */
  list(): AccountStatus[]
  /** The names of all accounts at the place of this one, its own among them. */
  neighboursOf(name: string): string[]
  /** Makes an account `ok` by hand; false where there is none of that name. */
  clear(name: string): boolean
  /** Switches an account off until it is cleared; false where there is none of that name. Its leases go on. */
  disable(name: string): boolean
  /** This very account, to be tried by hand; undefined where there is none, it is switched off, or is being tried. */
  probe(name: string): Lease | undefined
}

const WAIT_MS = 5000
/** After a probe that told nothing, as the upstream was not there. */
const PROBE_AGAIN_MS = 5000
/** How often the renewable accounts are looked at while others do the work. */
const RENEWAL_INTERVAL_MS = 5000

/** The credentials of one provider. */
export function createPool(options: PoolOptions): Pool {
  const { provider, states, clock = systemClock, probeWaitMs = WAIT_MS } = options
  const limits: Limits = { ...LIMITS, ...options.limits }
  const homes = createSticky<Account>()
  const waiting = new Set<() => void>()
  let renewals: Promise<void> | undefined
  let renewalsSoughtAt = -Infinity

  function wakeAll(): void {
    for (const wake of waiting) wake()
  }

  const roster = createRoster({
    accounts: options.accounts,
    limits,
    clock,
    onChange() {
      states?.changed()
      wakeAll()
    },
    onState: options.onChange,
  })
  if (states !== undefined) roster.restore(states.attach(provider, roster.snapshot))
  const { accounts, healthy, due, probing, renewable } = roster

  function choose(options: LeaseOptions): Account | undefined {
    roster.ripen()
    const home = options.sticky === undefined ? undefined : homes.get(options.sticky)
    if (home !== undefined && mayServe(home, options) && (healthy.has(home) || due.has(home))) return home
    // At most one probe a request, so that accounts still out do not use up all its attempts.
    return options.exclude === undefined || options.exclude.size === 0
      ? (firstOf(due, options) ?? firstOf(healthy, options))
      : (firstOf(healthy, options) ?? firstOf(due, options))
  }

  function take(account: Account, sticky: string | undefined): Lease {
    if (sticky !== undefined) homes.set(sticky, account)
    const probe = roster.use(account)
    let { generation } = account
    let ended = false

    function end(): void {
      ended = true
      account.active--
    }

    function giveUpProbe(delayMs: number): void {
      if (probe && account.generation === generation && probing.has(account)) roster.giveUpProbe(account, delayMs)
    }

    return {
      name: account.name,
      probe,
      succeed() {
        if (ended || account.generation !== generation || !probing.has(account)) return
        roster.enter(account, { state: 'ok', since: clock.now(), reason: '' })
        generation = account.generation
      },
      fail(error, verdict) {
        if (ended) return false
        end()
        const failure = accountFailureOf(error, clock.now(), verdict)
        if (failure === undefined) giveUpProbe(isUpstreamDown(error) ? PROBE_AGAIN_MS : 0)
        else roster.fail(account, failure, generation)
        return failure !== undefined
      },
      release() {
        if (ended) return
        end()
        giveUpProbe(0)
      },
    }
  }

  /** Looks whether accounts that need a sign-in have had one; those may then be tried. */
  function seekRenewals(): Promise<void> {
    renewalsSoughtAt = clock.elapsed()
    renewals ??= Promise.all(
      Array.from(renewable, async account => {
        const { generation } = account
        const isRenewed = await account.isRenewed?.().catch(() => false)
        if (isRenewed && account.generation === generation && !probing.has(account)) roster.makeDue(account)
      }),
    ).then(() => {
      renewals = undefined
      wakeAll()
    })
    return renewals
  }

  /** Why none of these accounts can serve. */
  function toError(usable: readonly Account[]): Error {
    if (usable.length === 0 && accounts.size > 0) {
      return new GatewayError('account_not_shared', `The accounts of ${provider} serve only their owners.`)
    }
    const unavailable = usable.map(account => {
      const { name, state, requestsPerMinute } = account
      const waitMs = roster.waitOf(account)
      const isResting = state.state === 'ok' && waitMs !== Infinity
      return { name, state: isResting ? toResting(state.since, waitMs, requestsPerMinute) : state, waitMs }
    })
    return toNoAccountError(provider, unavailable, clock.now())
  }

  /** Something may have changed, or `limitMs` have passed. */
  async function change(limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    const timer = setTimeout(resolve, limitMs)
    try {
      await orAborted(promise, signal)
    } finally {
      clearTimeout(timer)
      waiting.delete(resolve)
    }
  }

  async function waitForOne(options: LeaseOptions): Promise<Lease> {
    const usable = [...accounts.values()].filter(account => isFor(account, options.caller))
    const waitUntil = clock.elapsed() + probeWaitMs
    if (renewable.size > 0) void seekRenewals()
    for (;;) {
      const account = choose(options)
      if (account !== undefined) return take(account, options.sticky)
      const limitMs = waitUntil - clock.elapsed()
      const resting = usable.filter(account => account.state.state === 'ok' && mayServe(account, options))
      const restMs = Math.min(...resting.map(roster.waitOf))
      const mayChange = restMs <= limitMs || renewals !== undefined || firstOf(probing, options) !== undefined
      if (!mayChange || limitMs <= 0 || usable.length === 0) throw toError(usable)
      await change(Math.min(limitMs, restMs), options.signal)
    }
  }

  function stateByHand(name: string, state: 'ok' | 'disabled', reason: string): boolean {
    const account = accounts.get(name)
    if (account !== undefined) roster.enter(account, { state, since: clock.now(), reason })
    return account !== undefined
  }

  return {
    size: accounts.size,
    lease(options = {}) {
      if (renewable.size > 0 && clock.elapsed() - renewalsSoughtAt >= RENEWAL_INTERVAL_MS) void seekRenewals()
      const account = choose(options)
      return account === undefined ? waitForOne(options) : take(account, options.sticky)
    },
    list: () =>
      Array.from(accounts.values(), account => ({
        name: account.name,
        state: account.state,
        lastUsedAt: account.lastUsedAt,
        requestsToday: roster.requestsToday(account),
        active: account.active,
        probing: probing.has(account),
      })),
    neighboursOf(name) {
      const place = placeOf(accounts.get(name))
      return Array.from(accounts.values())
        .filter(account => placeOf(account) === place)
        .map(account => account.name)
    },
    clear: name => stateByHand(name, 'ok', ''),
    disable: name => stateByHand(name, 'disabled', 'switched off by hand'),
    probe(name) {
      const account = accounts.get(name)
      if (account === undefined || account.state.state === 'disabled' || probing.has(account)) return undefined
      return take(account, undefined)
    },
  }
}

function placeOf({ place }: Partial<Account> = {}): string | undefined {
  return typeof place === 'function' ? place() : place
}

function firstOf(accounts: ReadonlySet<Account>, options: LeaseOptions): Account | undefined {
  for (const account of accounts) if (mayServe(account, options)) return account
  return undefined
}

function mayServe(account: Account, { exclude, caller }: LeaseOptions): boolean {
  return isFor(account, caller) && !(exclude?.has(account.name) ?? false)
}

function isFor({ owner }: Account, caller: string | undefined): boolean {
  return owner === undefined || owner === caller
}

/** How an account that has no requests left in this minute is told of. */
function toResting(since: number, waitMs: number, requestsPerMinute = 0): AccountState {
  const reason = `its ${requestsPerMinute} requests a minute are used up`
  return { state: 'rate-limited', since, reason, until: since + waitMs, failures: 0 }
}

/** Whether an attempt failed before the account could matter; a request that was refused for itself says nothing either. */
function isUpstreamDown(error: unknown): boolean {
  return !(error instanceof GatewayError) || error.status >= 500
}
