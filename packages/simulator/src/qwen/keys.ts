import { ServiceError } from './errors.ts'
import { PLANS, REGIONS } from './sites.ts'
import type { DashscopeSite, PlanName, Region } from './sites.ts'

/** What is known of an API key; all of it may be left out. */
export interface KeySettings {
  /** Where it counts; everywhere, unless the key has the word for a plan or a region in it. */
  readonly plan?: PlanName
  readonly region?: Region
  /** Whose quota it uses; its own. */
  readonly account?: string
  /** How it is refused where it does not count. */
  readonly refusal?: RefusalStatus
}

type RefusalStatus = 400 | 401 | 403 | 404

const REFUSALS = {
  400: 'url-error',
  401: 'invalid-key',
  403: 'access-denied',
  404: 'model-not-found',
} as const

export interface Keys {
  set(key: string, settings: KeySettings): void
  /** From now on only keys that were set are good. */
  demandKnown(): void
  /** The name of the account that pays for the key, whether the key is good or not. */
  accountOf(key: string): string
  /** @throws {ServiceError} the key does not count at this site */
  check(key: string, site: DashscopeSite): void
  reset(): void
}

/** Keys of the plans begin with `sk-sp-`, the others do not. Which plan, and which region, a word in the key may say. */
export function createKeys(): Keys {
  const known = new Map<string, KeySettings>()
  let onlyKnown = false

  return {
    set: (key, settings) => void known.set(key, settings),
    demandKnown() {
      onlyKnown = true
    },
    accountOf: key => known.get(key)?.account ?? key,
    check(key, site) {
      const settings = known.get(key)
      if (!key.startsWith('sk-') || (settings === undefined && onlyKnown)) throw new ServiceError('invalid-key')
      const words = key.split('-')
      const region = settings?.region ?? words.find(word => REGIONS.includes(word)) ?? site.region
      const plan = settings?.plan ?? words.find(word => PLANS.includes(word)) ?? site.plan
      const isForPlan = key.startsWith('sk-sp-')
      if (isForPlan !== (site.plan !== 'payg') || region !== site.region || plan !== site.plan) {
        throw new ServiceError(REFUSALS[settings?.refusal ?? 401])
      }
    },
    reset() {
      known.clear()
      onlyKnown = false
    },
  }
}
