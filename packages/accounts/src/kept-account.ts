import { isObject, type AccountState, type KeptAccount } from '@millrace/core'
import type { FailedState } from './states.ts'

const TIMED: ReadonlySet<unknown> = new Set<FailedState>(['rate-limited', 'quota-exhausted'])
const LASTING: ReadonlySet<unknown> = new Set<FailedState>(['auth-expired', 'suspended'])
const PLAIN: ReadonlySet<unknown> = new Set<AccountState['state']>(['ok', 'disabled'])

/** An account as a file holds it, undefined where it cannot be understood. */
export function parseKeptAccount(value: unknown): KeptAccount | undefined {
  if (!isObject(value)) return undefined
  const state = parseState(value['state'])
  if (state === undefined) return undefined
  const { fingerprint, lastUsedAt, day, requests } = value
  return {
    state,
    fingerprint: typeof fingerprint === 'string' ? fingerprint : undefined,
    lastUsedAt: isCount(lastUsedAt) ? lastUsedAt : undefined,
    day: isCount(day) ? day : 0,
    requests: isCount(requests) ? requests : 0,
  }
}

function parseState(value: unknown): AccountState | undefined {
  if (!isObject(value)) return undefined
  const { state, since, reason, until, failures } = value
  if (!isCount(since)) return undefined
  const facts = { since, reason: typeof reason === 'string' ? reason : '' }
  if (PLAIN.has(state)) return { state: state as 'ok' | 'disabled', ...facts }
  const out = { ...facts, failures: isCount(failures) ? failures : 1 }
  if (isCount(until) && (TIMED.has(state) || LASTING.has(state))) return { state: state as FailedState, ...out, until }
  return LASTING.has(state) ? { state: state as 'auth-expired' | 'suspended', ...out } : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
