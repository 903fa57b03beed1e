import { UpstreamError } from '@millrace/core'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { createPool, type AccountStatus, type Lease, type LeaseOptions, type Pool, type PoolOptions } from './pool.ts'
import type { AccountSpec } from './roster.ts'

export const throttled = (retryAfterMs?: number) =>
  new UpstreamError('rate_limit_exceeded', 'slow down', { retryAfterMs })
export const spent = new UpstreamError('insufficient_quota', 'spent')
export const refused = new UpstreamError('upstream_auth_failed', 'bad key')
export const down = new UpstreamError('connect_failed', 'nobody there')
export const wrong = new UpstreamError('upstream_rejected', 'bad request')

/** For tests: a pool on a clock that the test moves. */
export function createTestPool(
  names: readonly (string | AccountSpec)[],
  options: Partial<PoolOptions> = {},
): { clock: ManualClock; pool: Pool } {
  const clock = createManualClock()
  const accounts = names.map(name => (typeof name === 'string' ? { name } : name))
  return { clock, pool: createPool({ provider: 'qwen', accounts, clock, ...options }) }
}

/** A lease that can be had at once. */
export function take(pool: Pool, options?: LeaseOptions): Lease {
  const lease = pool.lease(options)
  if (lease instanceof Promise) throw new Error('no account at once')
  return lease
}

/** The name of the account that a request is served by. */
export function use(pool: Pool, options?: LeaseOptions): string {
  const lease = take(pool, options)
  lease.succeed()
  lease.release()
  return lease.name
}

/** Lets a request fail with an account that can be had. */
export function failWith(pool: Pool, name: string, error: unknown, options?: LeaseOptions): void {
  const others = new Set(pool.list().map(account => account.name))
  others.delete(name)
  take(pool, { ...options, exclude: others }).fail(error)
}

export function statusOf(pool: Pool, name: string): AccountStatus {
  return pool.list().find(account => account.name === name)!
}
