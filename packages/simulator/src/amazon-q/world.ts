import { createHash } from 'node:crypto'
import type { RetryAfterForm } from '../service/retry-after.ts'
import { SIGN_IN_DEFAULTS } from '../service/sign-in.ts'
import type { SignInSettings } from '../service/sign-in.ts'
import type { TokenNaming } from '../service/tokens.ts'
import { createServiceWorld } from '../service/world.ts'
import type { ServiceTypes, ServiceWorld } from '../service/world.ts'
import { createCalls } from './calls.ts'
import type { Calls } from './calls.ts'
import type { Strictness } from './checks.ts'
import { createClients } from './clients.ts'
import type { Clients } from './clients.ts'
import type { ExceptionName } from './exceptions.ts'
import type { OperationName } from './operations.ts'
import { FINAL } from './poll-answers.ts'
import type { SignInAnswer } from './poll-answers.ts'
import { createAmazonQQuota } from './quotas.ts'
import type { WindowName } from './quotas.ts'
import type { AccessKey } from './signature.ts'

interface AmazonQSignIn extends SignInSettings {
  /** Seconds that registrations live. */
  clientExpiresIn: number
}

export interface AmazonQTypes extends ServiceTypes {
  readonly window: WindowName
  readonly error: ExceptionName
  readonly poll: SignInAnswer
  readonly refresh: SignInAnswer
  readonly bound: { readonly clientId: string; readonly startUrl: string }
  readonly signIn: AmazonQSignIn
}

/** How the service behaves towards everybody. */
export interface ServiceSettings extends Strictness {
  /** A chat without a profile is refused. */
  requireProfile: boolean
  /** Models in one page of their list at most. */
  modelPageSize: number
  /** How errors of quotas tell until when they hold. */
  retryAfter: RetryAfterForm
}

/** All that the simulator of Amazon Q remembers between requests. */
export interface World extends ServiceWorld<AmazonQTypes> {
  /** Where given, the only bearer that is good beside issued tokens. */
  readonly onlyBearer: string | undefined
  readonly clients: Clients
  readonly service: ServiceSettings
  /** By their ids. */
  readonly accessKeys: Map<string, AccessKey>
  /** What operations get instead of being carried out. */
  readonly failures: Map<OperationName, ExceptionName>
  readonly calls: Calls
}

const SIGN_IN: Readonly<AmazonQSignIn> = {
  ...SIGN_IN_DEFAULTS,
  interval: 5,
  deviceExpiresIn: 600,
  clientExpiresIn: 90 * 86_400,
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
  const accessKeys = new Map([[USUAL_KEY.accessKeyId, USUAL_KEY]])
  const common = createServiceWorld<AmazonQTypes>({
    defaultWish,
    toQuota: createAmazonQQuota,
    signInDefaults: SIGN_IN,
    finalPolls: FINAL,
    toTokenName,
    ownerOf: credential => accessKeys.get(credential)?.account ?? credential,
  })
  const clients = createClients(common.clock)
  const service: ServiceSettings = { ...SERVICE_DEFAULTS }
  const failures = new Map<OperationName, ExceptionName>()
  const calls = createCalls()

  return {
    ...common,
    onlyBearer,
    clients,
    service,
    accessKeys,
    failures,
    calls,
    reset() {
      for (const part of [common, clients, calls]) part.reset()
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
