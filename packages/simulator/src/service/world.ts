import { createAttempts } from '../attempts.ts'
import type { Attempts } from '../attempts.ts'
import { createAccounts } from './accounts.ts'
import type { Account, Accounts } from './accounts.ts'
import { createSimulatedClock } from './clock.ts'
import type { SimulatedClock } from './clock.ts'
import { createDevices } from './devices.ts'
import type { Devices } from './devices.ts'
import type { Quota } from './quotas.ts'
import { createRefreshes } from './refreshes.ts'
import type { Refreshes } from './refreshes.ts'
import { createSentCredentials } from './sent.ts'
import type { SentCredentials } from './sent.ts'
import type { SignInSettings } from './sign-in.ts'
import { createTokens } from './tokens.ts'
import type { TokenNaming, Tokens } from './tokens.ts'

/** The types in which services differ. */
export interface ServiceTypes {
  /** Names of the quotas' windows, and of the service's errors. */
  readonly window: string
  readonly error: string
  /** Names of what polls and refreshes may get instead of tokens. */
  readonly poll: string
  readonly refresh: string
  /** What a device came with. */
  readonly bound: unknown
  readonly signIn: SignInSettings
}

/** What the simulator of any service remembers between requests. */
export interface ServiceWorld<Types extends ServiceTypes = ServiceTypes> {
  /** `http://127.0.0.1:PORT`, known once it listens. */
  origin: string
  /** What requests get that ask for nothing. */
  readonly defaultWish: string
  readonly clock: SimulatedClock
  readonly accounts: Accounts<Types['window'], Types['error']>
  readonly tokens: Tokens
  readonly devices: Devices<Types['poll'], Types['bound']>
  readonly signIn: Types['signIn']
  readonly refreshes: Refreshes<Types['refresh']>
  readonly attempts: Attempts
  readonly sent: SentCredentials
  /** The account behind a token or a key; or else the one that has this name. */
  accountOf(credential: string): Account<Types['window'], Types['error']>
  reset(): void
}

interface WorldOptions<Types extends ServiceTypes> {
  readonly defaultWish: string
  readonly toQuota: () => Quota<Types['window'], Types['error']>
  readonly signInDefaults: Readonly<Types['signIn']>
  /** What is the end of a device's life as soon as a poll gets it. */
  readonly finalPolls: ReadonlySet<Types['poll']>
  readonly toTokenName?: TokenNaming
  /** The name of the account behind what is no token. */
  readonly ownerOf: (credential: string) => string
}

export function createServiceWorld<Types extends ServiceTypes>({
  defaultWish,
  toQuota,
  signInDefaults,
  finalPolls,
  toTokenName,
  ownerOf,
}: WorldOptions<Types>): ServiceWorld<Types> {
  const clock = createSimulatedClock()
  const accounts = createAccounts(clock, toQuota)
  const tokens = createTokens(clock, toTokenName)
  const signIn: Types['signIn'] = { ...signInDefaults }
  const devices = createDevices<Types['poll'], Types['bound']>(clock, signIn, finalPolls)
  const refreshes = createRefreshes<Types['refresh']>(signIn)
  const attempts = createAttempts()
  const sent = createSentCredentials()

  return {
    origin: '',
    defaultWish,
    clock,
    accounts,
    tokens,
    devices,
    signIn,
    refreshes,
    attempts,
    sent,
    accountOf: credential => accounts.named(tokens.accountOf(credential) ?? ownerOf(credential)),
    reset() {
      for (const part of [clock, accounts, tokens, devices, refreshes, attempts, sent]) part.reset()
      Object.assign(signIn, signInDefaults)
    },
  }
}
