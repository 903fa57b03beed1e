import { FAILURES, GatewayError, UpstreamError, type AccountState, type FailureCode } from '@millrace/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CredentialError } from './credential-error.ts'
import {
  accountFailureOf,
  afterFailure,
  afterRestart,
  isGraver,
  LIMITS,
  type FailedState,
  type StateName,
} from './states.ts'

const NOW = 1_800_000_000_000
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const ok: AccountState = { state: 'ok', since: NOW - DAY, reason: '' }

function out(state: FailedState, until = NOW + MINUTE, failures = 1): AccountState {
  const facts = { since: NOW - MINUTE, reason: 'why', failures }
  return (until === Infinity ? { state, ...facts } : { state, ...facts, until }) as AccountState
}

function fail(before: AccountState, failure: { state: FailedState; waitMs?: number | undefined }, again = true) {
  const full = { reason: 'why', waitMs: undefined, ...failure }
  return afterFailure(before, full, { now: NOW, again, limits: LIMITS })
}

function waitOf(state: AccountState): number {
  return 'until' in state && state.until !== undefined ? state.until - NOW : Infinity
}

describe('what a failure means for the account', () => {
  const OF_ACCOUNT: Partial<Record<FailureCode, FailedState>> = {
    rate_limit_exceeded: 'rate-limited',
    insufficient_quota: 'quota-exhausted',
    upstream_auth_failed: 'auth-expired',
  }

  test.each(Object.keys(FAILURES) as FailureCode[])('%s', code => {
    expect(accountFailureOf(new UpstreamError(code, 'words'), NOW)?.state).toBe(OF_ACCOUNT[code])
    expect(accountFailureOf(new GatewayError(code, 'words'), NOW)?.state).toBe(OF_ACCOUNT[code])
  })

  test.each([
    ['upstream_error', { state: 'suspended' }, 'suspended'],
    ['upstream_rejected', { state: 'rate-limited' }, 'rate-limited'],
    ['rate_limit_exceeded', { state: 'quota-exhausted' }, 'quota-exhausted'],
    ['upstream_auth_failed', { state: 'ok' }, undefined],
  ] as const)('%s with the verdict %o', (code, verdict, expected) => {
    expect(accountFailureOf(new UpstreamError(code, 'words'), NOW, verdict)?.state).toBe(expected)
  })

  test('a bug is no matter of the account', () => {
    expect(accountFailureOf(new Error('a bug'), NOW)).toBeUndefined()
    expect(accountFailureOf(undefined, NOW)).toBeUndefined()
  })

  test('an error can bring its verdict along; one that is given outweighs it', () => {
    const error = new CredentialError('gone', { untilMs: NOW + MINUTE, cause: undefined })
    expect(accountFailureOf(error, NOW)).toMatchObject({ state: 'auth-expired', waitMs: MINUTE })
    expect(accountFailureOf(error, NOW, { state: 'suspended' })?.state).toBe('suspended')
  })

  test.each([
    ['nothing', undefined, undefined, undefined],
    ['the upstream', 7 * SECOND, undefined, 7 * SECOND],
    ['the provider', undefined, NOW + MINUTE, MINUTE],
    ['both: the provider knows better', 7 * SECOND, NOW + MINUTE, MINUTE],
    ['now', 0, undefined, 0],
    ['a wait below nothing', -5, undefined, undefined],
    ['no number', Number.NaN, undefined, undefined],
    ['a moment that has passed', undefined, NOW - 1, undefined],
    ['a moment that has passed, and a wait', 7 * SECOND, NOW - 1, 7 * SECOND],
  ])('the wait is told by %s', (_by, retryAfterMs, untilMs, expected) => {
    const error = new UpstreamError('rate_limit_exceeded', 'words', { retryAfterMs })
    expect(accountFailureOf(error, NOW, { state: 'rate-limited', untilMs })?.waitMs).toBe(expected)
  })

  test('the reason is short and holds no secret', () => {
    const reason = accountFailureOf(
      new UpstreamError('insufficient_quota', `sk-canary-123456789 ${'x'.repeat(5000)}`),
      NOW,
    )?.reason
    expect(reason).not.toContain('canary')
    expect(reason?.length).toBe(300)
  })
})

describe('for how long', () => {
  test.each([
    ['rate-limited', [30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE]],
    ['quota-exhausted', [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY, DAY]],
    ['auth-expired', [Infinity, Infinity]],
    ['suspended', [Infinity]],
  ] as const)('%s without a word', (state, waits) => {
    let current: AccountState = ok
    for (const [index, wait] of waits.entries()) {
      current = fail(current, { state })
      expect(waitOf(current)).toBe(wait)
      expect(current).toMatchObject({ since: NOW, reason: 'why', failures: index + 1 })
    }
  })

  test.each([
    ['rate-limited', 700, 700],
    ['rate-limited', 0, 0],
    ['rate-limited', HOUR, 10 * MINUTE],
    ['quota-exhausted', 5 * DAY, 5 * DAY],
    ['quota-exhausted', 400 * DAY, 32 * DAY],
    ['auth-expired', MINUTE, MINUTE],
    ['suspended', DAY, DAY],
    ['suspended', Number.MAX_VALUE, 32 * DAY],
  ] as const)('%s, told to wait %d ms', (state, waitMs, expected) => {
    expect(waitOf(fail(ok, { state, waitMs }))).toBe(expected)
  })

  test('another kind of failure starts its own count', () => {
    expect(fail(out('rate-limited', NOW, 5), { state: 'quota-exhausted' })).toMatchObject({ failures: 1 })
  })

  test('failures side by side count as one', () => {
    expect(fail(out('rate-limited', NOW, 3), { state: 'rate-limited' }, false)).toMatchObject({ failures: 3 })
  })

  test('never longer than its limit, whatever comes', () => {
    const states = fc.constantFrom<FailedState>('rate-limited', 'quota-exhausted', 'auth-expired', 'suspended')
    const failure = fc.record({
      state: states,
      waitMs: fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(failure, fc.boolean()), { minLength: 1, maxLength: 60 }), failures => {
        let current: AccountState = ok
        for (const [failure, again] of failures) {
          current = fail(current, failure, again)
          const wait = waitOf(current)
          expect(wait).toBeGreaterThanOrEqual(0)
          const mayLast = current.state === 'auth-expired' || current.state === 'suspended'
          expect(wait <= LIMITS[failure.state].maxMs || (mayLast && wait === Infinity)).toBe(true)
        }
      }),
    )
  })
})

describe('after a restart', () => {
  test.each([
    ['as it was', 20 * SECOND, NOW + MINUTE, MINUTE],
    ['passed meanwhile', 20 * MINUTE, NOW - MINUTE, -MINUTE],
    ['the clock was set back: no longer than in the beginning', -HOUR, NOW - -HOUR + MINUTE, MINUTE],
    ['out of all reason', 0, Number.MAX_SAFE_INTEGER, 10 * MINUTE],
    ['ends before it begins', -HOUR, NOW, 0],
  ])('%s', (_what, age, until, expected) => {
    const kept: AccountState = { state: 'rate-limited', since: NOW - age, reason: '', failures: 2, until }
    expect(waitOf(afterRestart(kept, NOW, LIMITS))).toBe(expected)
  })

  test.each([ok, { state: 'disabled', since: 1, reason: '' } as const, out('suspended', Infinity)])(
    '%o stays',
    kept => {
      expect(afterRestart(kept, NOW, LIMITS)).toEqual(kept)
    },
  )
})

describe('late news', () => {
  const all: Record<StateName, AccountState> = {
    ok,
    'rate-limited': out('rate-limited'),
    'quota-exhausted': out('quota-exhausted'),
    'auth-expired': out('auth-expired'),
    suspended: out('suspended'),
    disabled: { state: 'disabled', since: NOW, reason: '' },
  }
  const names = Object.keys(all) as StateName[]

  test.each(names.flatMap((next, rank) => names.map((current, than) => [next, current, rank > than] as const)))(
    '%s in the place of %s: %s',
    (next, current, expected) => {
      expect(isGraver(all[next], all[current])).toBe(expected)
    },
  )

  test('of one kind the longer wait counts', () => {
    expect(isGraver(out('rate-limited', NOW + 2), out('rate-limited', NOW + 1))).toBe(true)
    expect(isGraver(out('rate-limited', NOW + 1), out('rate-limited', NOW + 2))).toBe(false)
    expect(isGraver(out('suspended', Infinity), out('suspended', NOW + 2))).toBe(true)
    expect(isGraver(out('suspended', NOW + 2), out('suspended', Infinity))).toBe(false)
  })
})
