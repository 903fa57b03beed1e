import { expect, test } from 'vitest'
import { toNoAccountError, type Unavailable } from './no-account.ts'
import type { AccountState } from '@millrace/core'
import type { StateName } from './states.ts'

const NOW = Date.UTC(2026, 10, 20, 12)

function account(name: string, state: StateName, waitMs = Infinity, reason = ''): Unavailable {
  const facts = { since: NOW, reason, failures: 1, until: NOW + waitMs }
  return { name, state: { state, ...facts } as AccountState, waitMs }
}

const rated = account('a', 'rate-limited', 5000)
const spent = account('b', 'quota-exhausted', 60_000)
const signedOut = account('c', 'auth-expired')
const suspended = account('d', 'suspended')
const disabled = account('e', 'disabled')

test.each([
  ['rate limits', [account('z', 'rate-limited', 9000), rated], 'rate_limit_exceeded', 5000],
  ['quotas', [spent], 'insufficient_quota', 60_000],
  ['sign-ins', [signedOut], 'upstream_auth_failed', undefined],
  ['sign-ins that are tried again', [signedOut, account('z', 'auth-expired', 60_000)], 'upstream_auth_failed', 60_000],
  ['suspensions', [suspended, signedOut], 'upstream_auth_failed', undefined],
  ['all switched off', [disabled], 'upstream_auth_failed', undefined],
  ['no accounts', [], 'upstream_auth_failed', undefined],
  ['a mixture: what passes soonest', [disabled, signedOut, spent, rated], 'rate_limit_exceeded', 5000],
  ['a mixture without rate limits', [suspended, spent, signedOut], 'insufficient_quota', 60_000],
  ['one that is being tried', [account('z', 'rate-limited', 0)], 'rate_limit_exceeded', 1000],
  ['a fraction of a millisecond', [account('z', 'rate-limited', 1500.25)], 'rate_limit_exceeded', 1501],
])('%s', (_what, accounts, code, retryAfterMs) => {
  expect(toNoAccountError('qwen', accounts, NOW)).toMatchObject({ code, retryAfterMs })
})

test('says for each account why and until when, the soonest first', () => {
  const reasoned = account('team-a', 'quota-exhausted', 3_600_000, 'Allocated quota exceeded.')
  expect(toNoAccountError('qwen', [signedOut, reasoned, rated, disabled, suspended], NOW).message).toBe(
    'No account of qwen can take the request now: a is rate limited, to be tried again at 2026-11-20T12:00:05Z; ' +
      'team-a has used up its quota, to be tried again at 2026-11-20T13:00:00Z (Allocated quota exceeded); ' +
      'c needs a valid key or a new sign-in; e is switched off; d is suspended by the upstream.',
  )
})

test('of one that another request is trying it says that', () => {
  expect(toNoAccountError('qwen', [account('a', 'rate-limited', 0)], NOW).message).toContain(
    'a is rate limited, and is being tried again.',
  )
})

test('stays short', () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    account(`account-${index}`, 'rate-limited', index, 'x'.repeat(300)),
  )
  const { message } = toNoAccountError('qwen', many, NOW)
  expect(message).toContain('account-7 ')
  expect(message).toContain('992 more are not available either')
  expect(message.length).toBeLessThan(4000)
})
