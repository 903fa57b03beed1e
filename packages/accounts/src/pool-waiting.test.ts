import { setImmediate as afterThisTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ManualClock } from './manual-clock.ts'
import type { Lease, Pool } from './pool.ts'
import { createTestPool, failWith, refused, take, throttled, use } from './test-pool.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** A pool whose accounts are all out, their time has come, and the first is being tried. */
function createProbedPool(names = ['a']): { pool: Pool; probe: Lease; clock: ManualClock } {
  const { pool, clock } = createTestPool(names)
  for (const name of names) failWith(pool, name, throttled())
  clock.advance(MINUTE)
  return { pool, probe: take(pool), clock }
}

async function failToLook(): Promise<boolean> {
  throw new Error('no such file')
}

describe('when everything depends on a probe', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    const timers = vi.getTimerCount()
    vi.useRealTimers()
    if (timers > 0) throw new Error('a timer was left behind')
  })

  test('all others wait, and are served when it succeeds', async () => {
    const { pool, probe } = createProbedPool()
    const leases = Promise.all(Array.from({ length: 50 }, () => pool.lease()))
    probe.succeed()
    expect((await leases).every(lease => !lease.probe)).toBe(true)
  })

  test('all others fail when it fails, without asking the upstream', async () => {
    const { pool, probe } = createProbedPool()
    const leases = Array.from({ length: 50 }, () => pool.lease())
    probe.fail(throttled(7 * SECOND))
    for (const lease of leases) {
      await expect(lease).rejects.toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: 7 * SECOND })
    }
    expect(pool.list()[0]?.requestsToday).toBe(2)
  })

  test('one of them goes on where the probe ended without a result', async () => {
    const { pool, probe } = createProbedPool()
    const first = pool.lease()
    const second = pool.lease()
    probe.release()
    const next = await first
    expect(next.probe).toBe(true)
    next.succeed()
    expect((await second).probe).toBe(false)
  })

  test('each account whose time has come is tried by one', async () => {
    const { pool, probe } = createProbedPool(['a', 'b'])
    expect(take(pool)).toMatchObject({ name: 'b', probe: true })
    const waiting = pool.lease()
    probe.succeed()
    expect((await waiting).name).toBe('a')
  })

  test('they wait for a bounded time', async () => {
    const { pool, clock } = createProbedPool()
    const outcome = Promise.allSettled([pool.lease()])
    clock.advance(4999)
    await vi.advanceTimersByTimeAsync(4999)
    expect(vi.getTimerCount()).toBe(1)
    clock.advance(1)
    await vi.advanceTimersByTimeAsync(1)
    const reason = { code: 'rate_limit_exceeded', retryAfterMs: 1000 } as unknown
    expect(await outcome).toMatchObject([{ status: 'rejected', reason }])
  })

  test('a client that leaves waits no longer', async () => {
    const { pool } = createProbedPool()
    const leaving = new AbortController()
    const waiting = pool.lease({ signal: leaving.signal })
    leaving.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(pool.lease({ signal: leaving.signal })).rejects.toMatchObject({ code: 'aborted' })
  })

  test('not so where it was the request itself that tried it', async () => {
    const { pool } = createProbedPool()
    await expect(pool.lease({ exclude: new Set(['a']) })).rejects.toMatchObject({ code: 'rate_limit_exceeded' })
  })
})

test('a request waits for its turn, where that comes soon', async () => {
  const { pool, clock } = createTestPool([{ name: 'a', requestsPerMinute: 1 }])
  use(pool)
  clock.advance(MINUTE - 20)
  const lease = pool.lease()
  await afterThisTurn()
  clock.advance(20)
  await expect(lease).resolves.toMatchObject({ name: 'a', probe: false })
})

describe('a credential renewed from outside', () => {
  test('is tried by the next request when nothing else is there', async () => {
    let renewed = false
    const { pool } = createTestPool([{ name: 'a', isRenewed: async () => renewed }])
    failWith(pool, 'a', refused)
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_auth_failed' })
    renewed = true
    await expect(pool.lease()).resolves.toMatchObject({ name: 'a', probe: true })
  })

  test('is looked for every 5 s while others do the work', async () => {
    let renewed = false
    const isRenewed = vi.fn(async () => renewed)
    const { pool, clock } = createTestPool([{ name: 'a', isRenewed }, 'b'])
    use(pool)
    expect(isRenewed).not.toHaveBeenCalled()
    failWith(pool, 'a', refused)
    for (let look = 1; look <= 3; look++) {
      for (let count = 0; count < 10; count++) expect(use(pool)).toBe('b')
      expect(isRenewed).toHaveBeenCalledTimes(look)
      await afterThisTurn()
      clock.advance(5 * SECOND)
    }
    renewed = true
    expect(use(pool)).toBe('b')
    await vi.waitFor(() => expect(take(pool)).toMatchObject({ name: 'a', probe: true }))
  })

  test('a look that fails changes nothing', async () => {
    const { pool } = createTestPool([{ name: 'a', isRenewed: failToLook }])
    failWith(pool, 'a', refused)
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_auth_failed' })
  })
})
