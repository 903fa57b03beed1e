import { UpstreamError, type AccountState, type FailureCode } from '@millrace/core'
import type { StateName } from './states.ts'

/** An account that cannot be had now. */
export interface Unavailable {
  readonly name: string
  readonly state: AccountState
  /** How long until it may be tried again, milliseconds; Infinity where somebody has to mend it. */
  readonly waitMs: number
}

const WORDS: Readonly<Record<StateName, string>> = {
  ok: 'was tried already',
  'rate-limited': 'is rate limited',
  'quota-exhausted': 'has used up its quota',
  'auth-expired': 'needs a valid key or a new sign-in',
  suspended: 'is suspended by the upstream',
  disabled: 'is switched off',
}

/** The first state that any account is in decides: it is the one that passes soonest. */
const CODES: readonly (readonly [StateName, FailureCode])[] = [
  ['rate-limited', 'rate_limit_exceeded'],
  ['quota-exhausted', 'insufficient_quota'],
]

/** How many accounts are told of one by one. */
const NAMED = 8
/** An account whose time has come is being tried by another request: worth another look a second later. */
const SHORTEST_WAIT_MS = 1000

/**
 * The error for a request that no account of `provider` can take: for each why, and until when. The code says what helps:
 * waiting (`rate_limit_exceeded`), waiting long or another plan (`insufficient_quota`), or whoever runs the gateway
 * (`upstream_auth_failed`).
 */
export function toNoAccountError(
  provider: string,
  accounts: readonly Unavailable[],
  now: number,
  cause?: unknown,
): UpstreamError {
  const soonestFirst = accounts.toSorted((one, other) => one.waitMs - other.waitMs)
  const [state, code] = CODES.find(([state]) => accounts.some(account => account.state.state === state)) ?? [
    undefined,
    'upstream_auth_failed' as const,
  ]
  const wait = soonestFirst.find(account => state === undefined || account.state.state === state)?.waitMs ?? Infinity
  const told = soonestFirst.slice(0, NAMED).map(account => describe(account, now))
  if (accounts.length > NAMED) told.push(`${accounts.length - NAMED} more are not available either`)
  const message = `No account of ${provider} can take the request now: ${told.join('; ') || 'it has none'}.`
  const retryAfterMs = wait === Infinity ? undefined : Math.max(SHORTEST_WAIT_MS, Math.ceil(wait))
  return new UpstreamError(code, message, { retryAfterMs, cause })
}

function describe({ name, state, waitMs }: Unavailable, now: number): string {
  const reason = state.reason === '' ? '' : ` (${state.reason.replace(/\.$/, '')})`
  return `${name} ${WORDS[state.state]}${whenOf(waitMs, now)}${reason}`
}

function whenOf(waitMs: number, now: number): string {
  if (waitMs === Infinity) return ''
  if (waitMs === 0) return ', and is being tried again'
  return `, to be tried again at ${new Date(Math.ceil((now + waitMs) / 1000) * 1000).toISOString().replace(/\.\d+Z$/, 'Z')}`
}
