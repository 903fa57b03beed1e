import { createAccounts } from '../accounts.ts'
import type { Accounts } from '../accounts.ts'
import { createAttempts } from '../attempts.ts'
import type { Attempts } from '../attempts.ts'
import { createSimulatedClock } from '../clock.ts'
import type { SimulatedClock } from '../clock.ts'
import { createDevices } from '../devices.ts'
import type { Devices } from '../devices.ts'
import { createRefreshes } from '../refreshes.ts'
import type { Refreshes } from '../refreshes.ts'
import type { RetryAfterForm } from '../retry-after.ts'
import { createSentCredentials } from '../sent.ts'
import type { SentCredentials } from '../sent.ts'
import { createTokens } from '../tokens.ts'
import type { Tokens } from '../tokens.ts'
import type { QwenAccount } from './accounts.ts'
import type { ErrorName } from './errors.ts'
import { createKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import type { PollAnswer, RefreshAnswer } from './poll-answers.ts'
import { createQwenQuota } from './quotas.ts'
import type { WindowName } from './quotas.ts'
import { SIGN_IN_DEFAULTS } from './sign-in.ts'
import type { SignInSettings } from './sign-in.ts'

/** The state of the portal as a whole. */
export interface Tier {
  /** Every chat gets 401, though signing in goes on. */
  closed: boolean
  /** Where given, chats of other agents get 429: what `user-agent` has to begin with. */
  onlyAgent: string | null
}

/** All that the simulator remembers between requests. */
export interface World {
  /** `http://127.0.0.1:PORT`, known once it listens. */
  origin: string
  /** What requests get that ask for nothing. */
  readonly defaultWish: string
  readonly clock: SimulatedClock
  readonly accounts: Accounts<WindowName, ErrorName>
  readonly keys: Keys
  readonly tokens: Tokens
  readonly devices: Devices<PollAnswer, string>
  readonly signIn: SignInSettings
  readonly refreshes: Refreshes<RefreshAnswer>
  readonly tier: Tier
  /** What those get who ask for the list of models; the list, where null. */
  modelListError: ErrorName | null
  /** How errors of quotas tell until when they hold. */
  retryAfter: RetryAfterForm
  readonly attempts: Attempts
  readonly sent: SentCredentials
  /** The account behind a key, an access or refresh token; or else the one that has this name. */
  accountOf(credential: string): QwenAccount
  reset(): void
}

const OPEN_TIER: Readonly<Tier> = { closed: false, onlyAgent: null }

/** `onlyKey`: no other key is good. */
export function createWorld(defaultWish: string, onlyKey?: string): World {
  const clock = createSimulatedClock()
  const accounts = createAccounts(clock, createQwenQuota)
  const keys = createKeys()
  const tokens = createTokens(clock)
  const signIn: SignInSettings = { ...SIGN_IN_DEFAULTS }
  const devices = createDevices<PollAnswer, string>(clock, signIn)
  const refreshes = createRefreshes<RefreshAnswer>(signIn)
  const attempts = createAttempts()
  const sent = createSentCredentials()

  function demandKey(): void {
    if (onlyKey === undefined) return
    keys.set(onlyKey, {})
    keys.demandKnown()
  }
  demandKey()

  const world: World = {
    origin: '',
    defaultWish,
    clock,
    accounts,
    keys,
    tokens,
    devices,
    signIn,
    refreshes,
    tier: { ...OPEN_TIER },
    modelListError: null,
    retryAfter: 'none',
    attempts,
    sent,
    accountOf: credential => accounts.named(tokens.accountOf(credential) ?? keys.accountOf(credential)),
    reset() {
      for (const part of [clock, accounts, keys, tokens, devices, refreshes, attempts, sent]) part.reset()
      Object.assign(signIn, SIGN_IN_DEFAULTS)
      Object.assign(world.tier, OPEN_TIER)
      world.modelListError = null
      world.retryAfter = 'none'
      demandKey()
    },
  }
  return world
}
