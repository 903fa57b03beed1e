import { createHash } from 'node:crypto'
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
import type { TokenNaming, Tokens } from '../tokens.ts'
import type { AmazonQAccount } from './accounts.ts'
import { createCalls } from './calls.ts'
import type { Calls } from './calls.ts'
import type { Strictness } from './checks.ts'
import { createClients } from './clients.ts'
import type { Clients } from './clients.ts'
import type { ExceptionName } from './exceptions.ts'
import type { OperationName } from './operations.ts'
import type { AmazonQDevice, PollAnswer, RefreshAnswer } from './poll-answers.ts'
import { createAmazonQQuota } from './quotas.ts'
import type { WindowName } from './quotas.ts'
import { SIGN_IN_DEFAULTS } from './sign-in.ts'
import type { SignInSettings } from './sign-in.ts'
import type { AccessKey } from './signature.ts'

/** How the service behaves towards everybody. */
export interface ServiceSettings extends Strictness {
  /** A chat without a profile is refused. */
  requireProfile: boolean
  /** Models in one page of their list at most. */
  modelPageSize: number
  /** How errors of quotas tell until when they hold. */
  retryAfter: RetryAfterForm
}

/** All that the simulator remembers between requests. */
export interface World {
  /** `http://127.0.0.1:PORT`, known once it listens. */
  origin: string
  /** What requests get that ask for nothing. */
  readonly defaultWish: string
  /** Where given, the only bearer that is good beside issued tokens. */
  readonly onlyBearer: string | undefined
  readonly clock: SimulatedClock
  readonly accounts: Accounts<WindowName, ExceptionName>
  readonly tokens: Tokens
  readonly clients: Clients
  readonly devices: Devices<PollAnswer, AmazonQDevice['bound']>
  readonly signIn: SignInSettings
  readonly refreshes: Refreshes<RefreshAnswer>
  readonly service: ServiceSettings
  /** By their ids. */
  readonly accessKeys: Map<string, AccessKey>
  /** What operations get instead of being carried out. */
  readonly failures: Map<OperationName, ExceptionName>
  readonly attempts: Attempts
  readonly sent: SentCredentials
  readonly calls: Calls
  /** The account behind an access or refresh token or an access key; or else the one that has this name. */
  accountOf(credential: string): AmazonQAccount
  reset(): void
}

const SERVICE_DEFAULTS: Readonly<ServiceSettings> = {
  strict: true,
  maxCharacters: null,
  requireProfile: false,
  modelPageSize: 5,
  retryAfter: 'none',
}

/** The key that is there from the start. */
export const USUAL_KEY: AccessKey = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test-secret', account: 'iam-test' }

export function createWorld(defaultWish: string, onlyBearer?: string): World {
  const clock = createSimulatedClock()
  const accounts = createAccounts(clock, createAmazonQQuota)
  const tokens = createTokens(clock, toTokenName)
  const clients = createClients(clock)
  const signIn: SignInSettings = { ...SIGN_IN_DEFAULTS }
  const devices = createDevices<PollAnswer, AmazonQDevice['bound']>(clock, signIn)
  const refreshes = createRefreshes<RefreshAnswer>(signIn)
  const service: ServiceSettings = { ...SERVICE_DEFAULTS }
  const accessKeys = new Map([[USUAL_KEY.accessKeyId, USUAL_KEY]])
  const failures = new Map<OperationName, ExceptionName>()
  const attempts = createAttempts()
  const sent = createSentCredentials()
  const calls = createCalls()

  return {
    origin: '',
    defaultWish,
    onlyBearer,
    clock,
    accounts,
    tokens,
    clients,
    devices,
    signIn,
    refreshes,
    service,
    accessKeys,
    failures,
    attempts,
    sent,
    calls,
    accountOf: credential =>
      accounts.named(tokens.accountOf(credential) ?? accessKeys.get(credential)?.account ?? credential),
    reset() {
      for (const part of [clock, accounts, tokens, clients, devices, refreshes, attempts, sent, calls]) part.reset()
      Object.assign(signIn, SIGN_IN_DEFAULTS)
      Object.assign(service, SERVICE_DEFAULTS)
      accessKeys.clear()
      accessKeys.set(USUAL_KEY.accessKeyId, USUAL_KEY)
      failures.clear()
    },
  }
}

/** As long as those of the service, and the same each time. */
const toTokenName: TokenNaming = (kind, count) => {
  const prefix = kind === 'at' ? 'aoaSimulated' : 'aorSimulated'
  return `${prefix}${count}.${createHash('sha512').update(`${prefix} ${count}`).digest('base64url')}${'x'.repeat(20)}`
}
