import { isMembers } from '../config/plain-data.ts'
import type { AccountDesk, AccountEntry, ActionResult } from '../account-desk.ts'
import { CommandError } from './command-error.ts'

/** How long a gateway may take to say that it is one. */
const PATIENCE_MS = 3000

/** Whether a gateway answers at `origin`. */
export async function isGatewayAt(origin: string): Promise<boolean> {
  try {
    const response = await fetch(`${origin}/livez`, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' })
    const answer: unknown = await response.json()
    return isMembers(answer) && answer['status'] === 'ok'
  } catch {
    return false
  }
}

/** The accounts of a gateway that runs, through its admin API. */
export function createRemoteDesk(origin: string, adminKey: string): AccountDesk {
  async function ask(path: string, signal: AbortSignal | undefined, post?: object): Promise<unknown> {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const body = post === undefined ? undefined : JSON.stringify(post)
    const method = post === undefined ? 'GET' : 'POST'
    const init = { method, headers, redirect: 'error' as const, ...(body && { body }), ...(signal && { signal }) }
    const response = await fetch(`${origin}/admin/accounts${path}`, init).catch((error: Error) => {
      const { message } = error.cause instanceof Error && error.cause.message !== '' ? error.cause : error
      throw new CommandError(`The gateway at ${origin} does not answer: ${message}.`)
    })
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.ok) return answer
    if (response.status === 404 && path === '') {
      throw new CommandError(`The gateway at ${origin} has no admin API, or another key for it.`)
    }
    const failure = isMembers(answer) && isMembers(answer['error']) ? answer['error']['message'] : undefined
    throw new CommandError(`The gateway at ${origin} says: ${String(failure ?? `status ${response.status}`)}`)
  }

  return {
    list: async () => ((await ask('', AbortSignal.timeout(PATIENCE_MS))) as { data: AccountEntry[] }).data,
    async act(provider, name, action, signal) {
      const path = [provider, name, action].map(encodeURIComponent).join('/')
      return (await ask(`/${path}`, signal, {})) as ActionResult
    },
  }
}
