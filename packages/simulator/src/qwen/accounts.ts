import type { Account } from '../service/accounts.ts'
import { ServiceError } from './errors.ts'
import type { ErrorName } from './errors.ts'
import type { QwenCost, WindowName } from './quotas.ts'
import type { World } from './world.ts'

export type QwenAccount = Account<WindowName, ErrorName>

/**
 * Lets one more request through, and counts it.
 * @throws {ServiceError} the account is suspended, exhausted or at a limit
 */
export function admitRequest({ accounts, clock }: World, account: QwenAccount, cost: QwenCost): void {
  const refusal = accounts.refusal(account, cost)
  if (refusal !== null) throw new ServiceError(refusal.error, undefined, refusal.until)
  account.quota.count(clock.now(), cost)
}
