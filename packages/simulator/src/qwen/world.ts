import type { RetryAfterForm } from '../service/retry-after.ts'
import { SIGN_IN_DEFAULTS } from '../service/sign-in.ts'
import type { SignInSettings } from '../service/sign-in.ts'
import { createServiceWorld } from '../service/world.ts'
import type { ServiceTypes, ServiceWorld } from '../service/world.ts'
import type { ErrorName } from './errors.ts'
import { createKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import { FINAL } from './poll-answers.ts'
import type { Poll, Refresh } from './poll-answers.ts'
import { createQwenQuota } from './quotas.ts'
import type { WindowName } from './quotas.ts'

interface QwenSignIn extends SignInSettings {
  /** Where tokens are good: the simulator itself where null. */
  resourceUrl: string | null
}

export interface QwenTypes extends ServiceTypes {
  readonly window: WindowName
  readonly error: ErrorName
  readonly poll: Poll
  readonly refresh: Refresh
  /** The challenge that a device's code must fit. */
  readonly bound: string
  readonly signIn: QwenSignIn
}

/** The state of the portal as a whole. */
export interface Tier {
  /** Every chat gets 401, though signing in goes on. */
  closed: boolean
  /** Where given, chats of other agents get 429: what `user-agent` has to begin with. */
  onlyAgent: string | null
}

/** All that the simulator of Qwen remembers between requests. */
export interface World extends ServiceWorld<QwenTypes> {
  readonly keys: Keys
  readonly tier: Tier
  /** What those get who ask for the list of models; the list, where null. */
  modelListError: ErrorName | null
  /** How errors of quotas tell until when they hold. */
  retryAfter: RetryAfterForm
}

const OPEN_TIER: Readonly<Tier> = { closed: false, onlyAgent: null }

/** `onlyKey`: no other key is good. */
export function createWorld(defaultWish: string, onlyKey?: string): World {
  const keys = createKeys()
  const service = createServiceWorld<QwenTypes>({
    defaultWish,
    toQuota: createQwenQuota,
    signInDefaults: { ...SIGN_IN_DEFAULTS, resourceUrl: null },
    finalPolls: FINAL,
    ownerOf: keys.accountOf,
  })

  function demandKey(): void {
    if (onlyKey === undefined) return
    keys.set(onlyKey, {})
    keys.demandKnown()
  }
  demandKey()

  const world: World = {
    ...service,
    keys,
    tier: { ...OPEN_TIER },
    modelListError: null,
    retryAfter: 'none',
    reset() {
      service.reset()
      keys.reset()
      Object.assign(world.tier, OPEN_TIER)
      world.modelListError = null
      world.retryAfter = 'none'
      demandKey()
    },
  }
  return world
}
