import type { AccountChange } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import type { Lease, LeaseOptions, Pool } from './pool.ts'
import { createTestPool, down, failWith, refused, spent, statusOf, take, throttled, use, wrong } from './test-pool.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

describe('which account', () => {
  test('the least recently used', () => {
    const { pool } = createTestPool(['a', 'b', 'c'])
    expect(Array.from({ length: 7 }, () => use(pool)).join('')).toBe('abcabca')
  })

  test('others than those tried before', () => {
    const { pool } = createTestPool(['a', 'b', 'c'])
    expect(use(pool, { exclude: new Set(['a']) })).toBe('b')
    expect(use(pool)).toBe('a')
    expect(use(pool, { exclude: new Set(['a', 'b']) })).toBe('c')
  })

  test('the same for the same key, whatever others do', () => {
    const { pool } = createTestPool(['a', 'b', 'c'])
    use(pool)
    for (let round = 0; round < 5; round++) {
      expect(use(pool, { sticky: 'session 1' })).toBe('b')
      expect(use(pool, { sticky: 'session 2' })).toBe('c')
      use(pool)
    }
  })

  test('another for a key only when its own is out, and then that one', () => {
    const { pool, clock } = createTestPool(['a', 'b', 'c'])
    const sticky = 'session'
    expect(use(pool, { sticky })).toBe('a')
    failWith(pool, 'a', throttled())
    expect(use(pool, { sticky })).toBe('b')
    clock.advance(MINUTE)
    expect(use(pool, { sticky })).toBe('b')
    expect(use(pool)).toBe('a')
    expect(use(pool, { sticky })).toBe('b')
  })

  test('its own for a key even as a probe', () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    expect(use(pool, { sticky: 'session' })).toBe('a')
    failWith(pool, 'a', throttled())
    clock.advance(MINUTE)
    const lease = take(pool, { sticky: 'session' })
    expect(lease).toMatchObject({ name: 'a', probe: true })
  })

  test('two accounts of one name are a mistake', () => {
    expect(() => createTestPool(['a', 'a'])).toThrow('Two accounts have the name a.')
  })
})

describe('an account that failed', () => {
  test('stays out until its time has come; others serve', () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', throttled(20 * SECOND))
    expect(statusOf(pool, 'a').state).toEqual({
      state: 'rate-limited',
      since: clock.now(),
      until: clock.now() + 20 * SECOND,
      reason: 'slow down',
      failures: 1,
    })
    clock.advance(20 * SECOND - 1)
    expect([use(pool), use(pool)]).toEqual(['b', 'b'])
    clock.advance(1)
    expect(use(pool)).toBe('a')
    expect(statusOf(pool, 'a').state).toEqual({ state: 'ok', since: clock.now(), reason: '' })
    expect([use(pool), use(pool)]).toEqual(['b', 'a'])
  })

  test('is tried by one request, while all others go elsewhere', () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', spent)
    clock.advance(HOUR)
    const probe = take(pool)
    expect(probe).toMatchObject({ name: 'a', probe: true })
    expect(pool.list()[0]).toMatchObject({ probing: true, state: { state: 'quota-exhausted' } })
    for (let count = 0; count < 5; count++) expect(use(pool)).toBe('b')
    probe.fail(spent)
    expect(statusOf(pool, 'a').state).toMatchObject({ until: clock.now() + 2 * HOUR, failures: 2 })
    for (let count = 0; count < 5; count++) expect(use(pool)).toBe('b')
    clock.advance(2 * HOUR)
    expect(use(pool)).toBe('a')
    failWith(pool, 'a', spent)
    expect(statusOf(pool, 'a').state).toMatchObject({ until: clock.now() + HOUR, failures: 1 })
  })

  test('is tried only by requests that have not failed yet, where there is a healthy one', () => {
    const { pool, clock } = createTestPool(['a', 'b', 'c'])
    failWith(pool, 'a', throttled())
    failWith(pool, 'b', throttled())
    clock.advance(MINUTE)
    expect(take(pool, { exclude: new Set(['x']) }).name).toBe('c')
    expect(take(pool, { exclude: new Set(['c']) })).toMatchObject({ name: 'a', probe: true })
  })

  test.each([
    ['released', (lease: Lease) => lease.release(), 0],
    ['refused for the request', (lease: Lease) => lease.fail(wrong), 0],
    ['failed before the upstream was reached', (lease: Lease) => lease.fail(down), 5 * SECOND],
    ['ended by a bug', (lease: Lease) => lease.fail(new Error('a bug')), 5 * SECOND],
  ])('a probe that was %s tells nothing: the next one comes after a moment', (_how, end, delayMs) => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', throttled())
    const before = statusOf(pool, 'a').state
    clock.advance(MINUTE)
    end(take(pool))
    const names: string[] = []
    for (let waited = 0; waited < delayMs; waited += SECOND) {
      names.push(use(pool))
      clock.advance(SECOND)
    }
    expect(new Set(names)).toEqual(new Set(delayMs > 0 ? ['b'] : []))
    expect(statusOf(pool, 'a').state).toEqual(before)
    expect(take(pool)).toMatchObject({ name: 'a', probe: true })
  })

  test('200 failures side by side count once', () => {
    const { pool, clock } = createTestPool(['a'])
    const leases = Array.from({ length: 200 }, () => take(pool))
    for (const lease of leases) expect(lease.fail(throttled())).toBe(true)
    expect(statusOf(pool, 'a').state).toMatchObject({ failures: 1, until: clock.now() + 30 * SECOND })
    expect(pool.list()[0]).toMatchObject({ active: 0 })
  })

  test('late news only make it worse, never better', () => {
    const { pool, clock } = createTestPool(['a'])
    const [first, second, third, fourth, fifth] = Array.from({ length: 5 }, () => take(pool))
    first!.fail(throttled(10 * SECOND))
    second!.succeed()
    second!.release()
    expect(statusOf(pool, 'a').state.state).toBe('rate-limited')
    third!.fail(throttled(20 * SECOND))
    expect(statusOf(pool, 'a').state).toMatchObject({ until: clock.now() + 20 * SECOND, failures: 1 })
    fourth!.fail(refused)
    fifth!.fail(throttled())
    expect(statusOf(pool, 'a').state.state).toBe('auth-expired')
  })

  test('a failure in the middle of an answer counts, once', () => {
    const { pool } = createTestPool(['a', 'b'])
    const lease = take(pool)
    lease.succeed()
    expect(lease.fail(spent)).toBe(true)
    expect(lease.fail(spent)).toBe(false)
    lease.release()
    expect(statusOf(pool, 'a').state).toMatchObject({ state: 'quota-exhausted', failures: 1 })
    expect(pool.list()[0]?.active).toBe(0)
  })

  test('a failure in the middle of a probe that went well at first starts a new count', () => {
    const { pool, clock } = createTestPool(['a'])
    failWith(pool, 'a', throttled())
    clock.advance(MINUTE)
    const probe = take(pool)
    probe.succeed()
    const other = take(pool)
    probe.fail(throttled())
    expect(statusOf(pool, 'a').state).toMatchObject({ state: 'rate-limited', failures: 1 })
    other.release()
  })

  test('failures that are no matter of the account change nothing', () => {
    const { pool } = createTestPool(['a'])
    for (const error of [down, wrong, new Error('a bug')]) expect(take(pool).fail(error)).toBe(false)
    expect(take(pool).fail(refused, { state: 'ok' })).toBe(false)
    expect(statusOf(pool, 'a').state.state).toBe('ok')
  })

  test('auth-expired and suspended do not pass by themselves', async () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', refused)
    take(pool).fail(down, { state: 'suspended' })
    clock.advance(1000 * 24 * HOUR)
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_auth_failed' })
  })

  test('auth-expired passes when the provider says until when', () => {
    const { pool, clock } = createTestPool(['a'])
    take(pool).fail(down, { state: 'auth-expired', untilMs: clock.now() + MINUTE })
    clock.advance(MINUTE)
    expect(take(pool)).toMatchObject({ probe: true })
  })
})

describe('clocks', () => {
  test('a wall clock that is set back keeps no account out for longer', () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', throttled())
    clock.jump(-HOUR)
    clock.advance(30 * SECOND - 1)
    expect(use(pool)).toBe('b')
    clock.advance(1)
    expect(use(pool)).toBe('a')
  })

  test('a machine that slept until the time had come goes on at once', () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', spent)
    clock.jump(HOUR)
    expect(take(pool)).toMatchObject({ name: 'a', probe: true })
  })

  test('the error says how long to wait in truth', async () => {
    const { pool, clock } = createTestPool(['a'])
    failWith(pool, 'a', throttled(20 * SECOND))
    clock.jump(-HOUR)
    clock.advance(5 * SECOND)
    await expect(pool.lease()).rejects.toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: 15 * SECOND })
  })

  test('requests are counted by UTC days', () => {
    const { pool, clock } = createTestPool(['a'])
    use(pool)
    use(pool)
    expect(pool.list()[0]).toMatchObject({ requestsToday: 2, lastUsedAt: clock.now() })
    clock.advance(12 * HOUR)
    expect(pool.list()[0]?.requestsToday).toBe(0)
    use(pool)
    expect(pool.list()[0]?.requestsToday).toBe(1)
  })
})

describe('by hand', () => {
  test('clear makes an account ok again', () => {
    const { pool } = createTestPool(['a'])
    failWith(pool, 'a', refused)
    expect(pool.clear('a')).toBe(true)
    expect(use(pool)).toBe('a')
    expect(pool.clear('x')).toBe(false)
  })

  test('disable lasts until it is cleared, whatever requests say that began before', async () => {
    const { pool, clock } = createTestPool(['a'])
    const lease = take(pool)
    expect(pool.disable('a')).toBe(true)
    lease.fail(spent)
    clock.advance(1000 * HOUR)
    await expect(pool.lease()).rejects.toThrow('a is switched off (switched off by hand)')
    expect(pool.probe('a')).toBeUndefined()
    expect(pool.disable('x')).toBe(false)
    pool.clear('a')
    expect(use(pool)).toBe('a')
  })

  test('a probe of this very account, before its time', async () => {
    const { pool } = createTestPool(['a', 'b'])
    failWith(pool, 'a', refused)
    const probe = pool.probe('a')
    expect(probe).toMatchObject({ name: 'a', probe: true })
    expect(pool.probe('a')).toBeUndefined()
    probe?.release()
    expect(use(pool)).toBe('b')
    expect(use(pool)).toBe('b')
    pool.probe('a')?.succeed()
    expect(statusOf(pool, 'a').state.state).toBe('ok')
    expect(pool.probe('x')).toBeUndefined()
  })

  test('a probe that ends without a result does not shorten the wait', () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    failWith(pool, 'a', throttled())
    pool.probe('a')?.release()
    expect(use(pool)).toBe('b')
    clock.advance(30 * SECOND)
    expect(take(pool)).toMatchObject({ name: 'a', probe: true })
  })

  test('a clear in the middle of a probe stands, whatever the probe says', () => {
    const { pool, clock } = createTestPool(['a'])
    failWith(pool, 'a', throttled())
    clock.advance(MINUTE)
    const probe = take(pool)
    pool.disable('a')
    probe.succeed()
    expect(statusOf(pool, 'a').state.state).toBe('disabled')
  })
})

const names = (pool: Pool, options?: LeaseOptions): string[] => [1, 2, 3, 4].map(() => use(pool, options))

describe('an account with an owner', () => {
  test('serves its owner alone, beside those that serve everybody', () => {
    const { pool } = createTestPool([{ name: 'hers', owner: 'alice' }, 'all'])
    expect(names(pool)).toEqual(['all', 'all', 'all', 'all'])
    expect(names(pool, { caller: 'bob', sticky: 'x' })).toEqual(['all', 'all', 'all', 'all'])
    expect(new Set(names(pool, { caller: 'alice' }))).toEqual(new Set(['hers', 'all']))
  })

  test('does not serve others by a key that it served its owner by', () => {
    const { pool } = createTestPool([{ name: 'hers', owner: 'alice' }, 'all'])
    expect(use(pool, { caller: 'alice', sticky: 'x' })).toBe('hers')
    expect(use(pool, { caller: 'bob', sticky: 'x' })).toBe('all')
  })

  test('is no help to others, who are told so, and nothing of its state', async () => {
    const { pool } = createTestPool([{ name: 'hers', owner: 'alice', isRenewed: async () => true }])
    await expect(pool.lease({ caller: 'bob' })).rejects.toMatchObject({ code: 'account_not_shared', status: 403 })
    failWith(pool, 'hers', refused, { caller: 'alice' })
    await expect(pool.lease()).rejects.toMatchObject({ code: 'account_not_shared' })
    const { pool: both } = createTestPool([{ name: 'hers', owner: 'alice' }, 'all'])
    failWith(both, 'all', throttled())
    const error = await Promise.resolve(both.lease({ caller: 'bob' })).catch((error: Error) => error)
    expect(error).toMatchObject({ code: 'rate_limit_exceeded', message: expect.not.stringContaining('hers') })
  })
})

describe('requests a minute', () => {
  test('with none left others serve, until a minute has passed since the first of them', () => {
    const { pool, clock } = createTestPool([{ name: 'a', requestsPerMinute: 2 }, 'b'])
    const served: string[] = []
    for (let second = 0; second < 80; second += 10) {
      served.push(use(pool))
      clock.advance(10 * SECOND)
    }
    expect(served).toEqual(['a', 'b', 'a', 'b', 'b', 'b', 'b', 'a'])
    expect(pool.list()[0]).toMatchObject({ state: { state: 'ok' }, requestsToday: 3 })
  })

  test('with none left anywhere, and none soon, the error says until when', async () => {
    const { pool, clock } = createTestPool([{ name: 'a', requestsPerMinute: 1 }])
    use(pool)
    clock.advance(20 * SECOND)
    await expect(pool.lease()).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
      retryAfterMs: 40 * SECOND,
      message: expect.stringContaining('its 1 requests a minute are used up'),
    })
    clock.advance(40 * SECOND)
    expect(take(pool)).toMatchObject({ name: 'a', probe: false })
  })

  test('a clear by hand grants no more', () => {
    const { pool } = createTestPool([{ name: 'a', requestsPerMinute: 1 }, 'b'])
    use(pool)
    pool.clear('a')
    expect([use(pool), use(pool)]).toEqual(['b', 'b'])
  })
})

test('each change of a state is told, and nothing else', () => {
  const told: string[] = []
  const onChange = ({ account, from, to }: AccountChange): void =>
    void told.push(
      `${account} ${from.state} → ${to.state}${to.until === undefined ? '' : ` for ${to.until - to.since}`}`,
    )
  const { pool, clock } = createTestPool(['a', 'b'], { onChange })
  use(pool)
  pool.clear('a')
  failWith(pool, 'a', throttled(7 * SECOND))
  clock.advance(8 * SECOND)
  const probe = take(pool)
  probe.fail(throttled(9 * SECOND))
  failWith(pool, 'b', refused)
  pool.disable('b')
  pool.clear('b')
  expect(told).toEqual([
    'a ok → rate-limited for 7000',
    'a rate-limited → rate-limited for 9000',
    'b ok → auth-expired',
    'b auth-expired → disabled',
    'b disabled → ok',
  ])
})
