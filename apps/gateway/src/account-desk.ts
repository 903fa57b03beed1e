import { GatewayError, type AccountView } from '@millrace/core'
import type { Route } from './router.ts'

/** An account as whoever runs the gateway sees it: plain data. Times as in 2026-11-20T08:00:00.000Z, null where there is none. */
export interface AccountEntry {
  readonly provider: string
  readonly name: string
  readonly state: AccountView['state']['state']
  readonly since: string
  /** When it is tried again. */
  readonly until: string | null
  readonly reason: string
  readonly lastUsedAt: string | null
  /** Upstream requests since midnight UTC. */
  readonly requestsToday: number
}

export const ACCOUNT_ACTIONS = ['clear', 'probe', 'disable'] as const
export type AccountAction = (typeof ACCOUNT_ACTIONS)[number]

export interface ActionResult {
  /** `done`; of a probe `served`, `failed`, or `not-tried` where the account is switched off or being tried. */
  readonly outcome: 'done' | 'served' | 'failed' | 'not-tried'
  /** Why it failed; empty otherwise. */
  readonly message: string
  /** As it is afterwards. */
  readonly account: AccountEntry
}

/** What can be done with the accounts of a gateway, wherever that is. */
export interface AccountDesk {
  /** Of all providers that have any, in the order of the configuration. */
  list(): Promise<readonly AccountEntry[]>
  /** @throws {GatewayError} there is no such account */
  act(provider: string, name: string, action: AccountAction, signal: AbortSignal): Promise<ActionResult>
}

/** The accounts of this process. */
export function createAccountDesk(routes: readonly Route[]): AccountDesk {
  return {
    list: async () => routes.flatMap(toEntries),
    async act(provider, name, action, signal) {
      const route = routes.find(candidate => candidate.name === provider)
      const accountNow = (): AccountEntry | undefined => route && toEntries(route).find(entry => entry.name === name)
      const accounts = route?.provider.accounts
      if (accounts === undefined || accountNow() === undefined) throw unknown(provider, name)
      let result: Omit<ActionResult, 'account'> = { outcome: 'done', message: '' }
      if (action === 'probe') result = await probe(() => accounts.probe(name, signal))
      else accounts[action](name)
      return { ...result, account: accountNow()! }
    },
  }
}

async function probe(attempt: () => Promise<boolean>): Promise<Omit<ActionResult, 'account'>> {
  try {
    return { outcome: (await attempt()) ? 'served' : 'not-tried', message: '' }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { outcome: 'failed', message: error.message }
  }
}

function toEntries({ name: provider, provider: { accounts } }: Route): AccountEntry[] {
  return (accounts?.list() ?? []).map(({ name, state, lastUsedAt, requestsToday }) => ({
    provider,
    name,
    state: state.state,
    since: toTime(state.since)!,
    until: toTime(state.until),
    reason: state.reason,
    lastUsedAt: toTime(lastUsedAt),
    requestsToday,
  }))
}

function toTime(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}

function unknown(provider: string, name: string): GatewayError {
  const named = `"${name.slice(0, 100)}" of a provider "${provider.slice(0, 100)}"`
  return new GatewayError(
    'unknown_url',
    `There is no account ${named}; GET /admin/accounts lists those that there are.`,
  )
}
