import { GatewayError, toSafeText, UpstreamError, type AccountState, type FailureCode } from '@millrace/core'

/** Whoever adds a state adds a row to {@link LIMITS} and to `no-account.ts`. */
export type StateName = AccountState['state']
/** The states into which a failure brings an account. */
export type FailedState = Exclude<StateName, 'ok' | 'disabled'>

/** What a provider says of its account where the code of the failure alone says too little. */
export interface Verdict {
  /** `ok`: the failure is no matter of the account. */
  readonly state: FailedState | 'ok'
  /** When the account may be tried again, Unix time in milliseconds. */
  readonly untilMs?: number | undefined
}

/** For how long a failure keeps an account out, milliseconds. */
export interface Limit {
  /** The first time, where the upstream says nothing; each further failure in a row doubles it. */
  readonly firstMs: number
  /** Where the doubling ends. */
  readonly doublesToMs: number
  /** The longest wait that the upstream can ask for. */
  readonly maxMs: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Infinity: out until a new sign-in or somebody mends it, unless the provider says otherwise. */
export const LIMITS: Readonly<Record<FailedState, Limit>> = {
  'rate-limited': { firstMs: MINUTE / 2, doublesToMs: 5 * MINUTE, maxMs: 10 * MINUTE },
  'quota-exhausted': { firstMs: HOUR, doublesToMs: DAY, maxMs: 32 * DAY },
  'auth-expired': { firstMs: Infinity, doublesToMs: Infinity, maxMs: HOUR },
  suspended: { firstMs: Infinity, doublesToMs: Infinity, maxMs: 32 * DAY },
}
export type Limits = typeof LIMITS

/** The failures that are a matter of the account and not of the provider or the request. */
const STATE_OF: Partial<Record<FailureCode, FailedState>> = {
  rate_limit_exceeded: 'rate-limited',
  insufficient_quota: 'quota-exhausted',
  upstream_auth_failed: 'auth-expired',
}

const REASON_LENGTH = 300

/** A failure as far as it concerns the account that it happened with. */
export interface AccountFailure {
  readonly state: FailedState
  readonly reason: string
  /** How long the upstream, or the provider, said to wait, milliseconds. */
  readonly waitMs: number | undefined
}

/** Carried by errors that know best what they mean for the account. */
interface WithVerdict {
  readonly verdict: Verdict
}

function verdictIn(error: unknown): Verdict | undefined {
  return error instanceof GatewayError && 'verdict' in error ? (error as WithVerdict).verdict : undefined
}

/** What a failed attempt means for its account, undefined where it means nothing. A verdict outweighs the code. */
export function accountFailureOf(
  error: unknown,
  now: number,
  verdict: Verdict | undefined = verdictIn(error),
): AccountFailure | undefined {
  const state = verdict?.state ?? (error instanceof GatewayError ? STATE_OF[error.code] : undefined)
  if (state === undefined || state === 'ok') return undefined
  const told = error instanceof UpstreamError ? error.retryAfterMs : undefined
  const untilWait = verdict?.untilMs === undefined ? undefined : verdict.untilMs - now
  return {
    state,
    reason: error instanceof GatewayError ? toSafeText(error.message).slice(0, REASON_LENGTH).toWellFormed() : '',
    waitMs: [untilWait, told].find(isUsable),
  }
}

/** A moment that has passed says no more than silence; "now" is an answer. */
function isUsable(waitMs: number | undefined): waitMs is number {
  return waitMs !== undefined && waitMs >= 0
}

/** The state after a failure at `now`. `again`: the account had its chance since it came into `before`, and failed. */
export function afterFailure(
  before: AccountState,
  { state, reason, waitMs }: AccountFailure,
  { now, again, limits }: { now: number; again: boolean; limits: Limits },
): AccountState {
  const limit = limits[state]
  const earlier = before.state === state ? before.failures : 0
  const failures = again || earlier === 0 ? earlier + 1 : earlier
  const wait = waitMs ?? Math.min(limit.firstMs * 2 ** (failures - 1), limit.doublesToMs)
  const facts = { since: now, reason, failures }
  if ((state === 'auth-expired' || state === 'suspended') && wait === Infinity) return { state, ...facts }
  return { state, ...facts, until: now + Math.min(wait, limit.maxMs) }
}

/**
 * A state that was kept over a restart, at `now`. It ends no later than its limit allows: a wall clock that was set back
 * meanwhile, or a kept time out of all reason, keeps no account out for longer.
 */
export function afterRestart(kept: AccountState, now: number, limits: Limits): AccountState {
  if (!('until' in kept) || kept.until === undefined) return kept
  const whole = Math.max(0, kept.until - kept.since)
  const left = now < kept.since ? whole : kept.until - now
  return { ...kept, until: now + Math.min(left, limits[kept.state].maxMs) }
}

const GRAVITY: Readonly<Record<StateName, number>> = {
  ok: 0,
  'rate-limited': 1,
  'quota-exhausted': 2,
  'auth-expired': 3,
  suspended: 4,
  disabled: 5,
}

/** Whether `next`, learnt from a request that began before the account came into `current`, still tells something new. */
export function isGraver(next: AccountState, current: AccountState): boolean {
  if (next.state !== current.state) return GRAVITY[next.state] > GRAVITY[current.state]
  return untilOf(next) > untilOf(current)
}

function untilOf(state: AccountState): number {
  return ('until' in state ? state.until : undefined) ?? Infinity
}
