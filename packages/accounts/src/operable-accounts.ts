import type { Accounts } from '@millrace/core'
import type { Pool } from './pool.ts'

/**
 * A pool for whoever runs the gateway.
 * @param attempt a small request with the account of this name, which yields something once it is answered
 */
export function operableAccounts(
  pool: Pool,
  attempt: (name: string, signal: AbortSignal) => AsyncIterable<unknown>,
): Accounts {
  return {
    list: pool.list,
    clear: pool.clear,
    disable: pool.disable,
    async probe(name, signal) {
      const lease = pool.probe(name)
      if (lease === undefined) return false
      try {
        for await (const _part of attempt(name, signal)) lease.succeed()
        return true
      } catch (error) {
        lease.fail(error)
        throw error
      } finally {
        lease.release()
      }
    },
  }
}
