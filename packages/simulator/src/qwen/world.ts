import { createAttempts } from '../attempts.ts'
import type { Attempts } from '../attempts.ts'
import { createAccounts } from './accounts.ts'
import type { Account, Accounts } from './accounts.ts'
import { createSimulatedClock } from './clock.ts'
import type { SimulatedClock } from './clock.ts'
import { createDevices } from './devices.ts'
import type { Devices } from './devices.ts'
import type { ErrorName } from './errors.ts'
import { createKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import type { RefreshAnswer } from './poll-answers.ts'
import { SIGN_IN_DEFAULTS } from './sign-in.ts'
import type { RefreshCounts, SignInSettings } from './sign-in.ts'
import { createTokens } from './tokens.ts'
import type { Tokens } from './tokens.ts'

/** How often a key or a token was sent, and what came back. */
export interface Sent {
  requests: number
  /** Status → how often. */
  readonly statuses: Record<string, number>
}

/** The state of the portal as a whole. */
export interface Tier {
  /** Every chat gets 401, though signing in goes on. */
  closed: boolean
  /** Where given, chats of other agents get 429: what `user-agent` has to begin with. */
  onlyAgent: string | null
}

/** The form of the header `retry-after`. */
export type RetryAfter = 'none' | 'seconds' | 'date'

/** All that the simulator remembers between requests. */
export interface World {
  /** `http://127.0.0.1:PORT`, known once it listens. */
  origin: string
  /** What requests get that ask for nothing. */
  readonly defaultWish: string
  readonly clock: SimulatedClock
  readonly accounts: Accounts
  readonly keys: Keys
  readonly tokens: Tokens
  readonly devices: Devices
  readonly signIn: SignInSettings
  readonly refreshes: RefreshCounts
  /** What the next refreshes get. */
  readonly refreshAnswers: RefreshAnswer[]
  readonly tier: Tier
  /** What those get who ask for the list of models; the list, where null. */
  modelListError: ErrorName | null
  /** How errors of quotas tell until when they hold. */
  retryAfter: RetryAfter
  readonly attempts: Attempts
  readonly sent: ReadonlyMap<string, Sent>
  noteSent(bearer: string): Sent
  /** The account behind a key, an access or refresh token; or else the one that has this name. */
  accountOf(credential: string): Account
  reset(): void
}

const MAX_SENT = 10_000
const NO_REFRESHES = { asked: 0, done: 0, open: 0, openAtMost: 0 }
const OPEN_TIER: Readonly<Tier> = { closed: false, onlyAgent: null }

/** `onlyKey`: no other key is good. */
export function createWorld(defaultWish: string, onlyKey?: string): World {
  const clock = createSimulatedClock()
  const accounts = createAccounts(clock)
  const keys = createKeys()
  const tokens = createTokens(clock)
  const signIn: SignInSettings = { ...SIGN_IN_DEFAULTS }
  const devices = createDevices(clock, signIn)
  const attempts = createAttempts()
  const sent = new Map<string, Sent>()

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
    refreshes: { ...NO_REFRESHES },
    refreshAnswers: [],
    tier: { ...OPEN_TIER },
    modelListError: null,
    retryAfter: 'none',
    attempts,
    sent,
    noteSent(bearer) {
      let known = sent.get(bearer)
      if (known === undefined) {
        if (sent.size === MAX_SENT) sent.clear()
        known = { requests: 0, statuses: {} }
        sent.set(bearer, known)
      }
      known.requests++
      return known
    },
    accountOf: credential => accounts.named(tokens.accountOf(credential) ?? keys.accountOf(credential)),
    reset() {
      for (const part of [clock, accounts, keys, tokens, devices, attempts]) part.reset()
      Object.assign(signIn, SIGN_IN_DEFAULTS)
      const { open } = world.refreshes
      Object.assign(world.refreshes, NO_REFRESHES, { open, openAtMost: open })
      world.refreshAnswers.length = 0
      Object.assign(world.tier, OPEN_TIER)
      world.modelListError = null
      world.retryAfter = 'none'
      sent.clear()
      demandKey()
    },
  }
  return world
}
