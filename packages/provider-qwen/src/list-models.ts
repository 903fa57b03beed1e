import { UpstreamError, type Model } from '@millrace/core'
import { readModels } from '@millrace/openai-dialect'
import { toQwenError } from './failures.ts'
import { isServed, knownModels } from './model-table.ts'
import { secretsOf, type OpenAccount } from './open-account.ts'

/** Statuses of a service that has no list: then what is known without asking is the list. */
const NO_LIST: ReadonlySet<number | undefined> = new Set([404, 405, 501])

/**
 * The models of all accounts, each once: those that their services list and that the gateway can ask, or the known ones
 * where a service has no list, as the portal of sign-ins. A service that fails is left out if another one answers.
 * @throws {UpstreamError} all services fail
 */
export async function listModels(accounts: readonly OpenAccount[], signal: AbortSignal): Promise<readonly Model[]> {
  const results = await Promise.allSettled(onePerPlace(accounts).map(account => listOf(account, signal)))
  const lists = results.filter(result => result.status === 'fulfilled').map(({ value }) => value)
  const failed = results.find(result => result.status === 'rejected')
  if (lists.length === 0 && failed !== undefined) throw failed.reason
  return [...new Map(lists.flat().map(model => [model.id, model])).values()]
}

/** Accounts of one plan and region see the same models: the first of each is asked. */
function onePerPlace(accounts: readonly OpenAccount[]): readonly OpenAccount[] {
  return [...new Map(accounts.toReversed().map(account => [account.place, account])).values()]
}

async function listOf(account: OpenAccount, signal: AbortSignal): Promise<readonly Model[]> {
  if (account.isPortal) return known(true)
  const service = await account.service(signal)
  try {
    const models = await readModels(service, signal)
    return models.filter(({ id }) => isServed(id))
  } catch (error) {
    if (error instanceof UpstreamError && NO_LIST.has(error.upstreamStatus)) return known(false)
    throw toQwenError(error, { advice: account.advice, secrets: secretsOf(service) }, Date.now())
  }
}

function known(isPortal: boolean): readonly Model[] {
  return knownModels(isPortal).map(id => ({ id, owned_by: 'qwen' }))
}
