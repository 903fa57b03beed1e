import { toMoment } from '../clock.ts'
import { createTelling } from '../telling.ts'
import type { IssuedToken, TokenWish } from '../tokens.ts'
import type { Client } from './clients.ts'
import type { ExceptionName } from './exceptions.ts'
import type { OperationName } from './operations.ts'
import type { PollAnswer, RefreshAnswer } from './poll-answers.ts'
import type { AmazonQLimits } from './quotas.ts'
import { findScript } from './scripts.ts'
import type { SignInSettings } from './sign-in.ts'
import type { AccessKey } from './signature.ts'
import type { ServiceSettings, World } from './world.ts'

/** A bearer, a refresh token, the id of an access key, or the name of an account. */
interface ForCredential {
  readonly credential: string
}

/**
 * What can be done to the simulator. Each takes one object, which is also what stands behind its name in the body of
 * `POST /control`.
 */
export interface AmazonQControl {
  /** Sets the clock: milliseconds since 1970, or a date as ISO 8601 has it. */
  setClock(to: { readonly at: number | string }): void
  advanceClock(by: { readonly ms: number }): void
  /** How many chats there may be in each window, in place of all limits so far. */
  setLimits(to: ForCredential & { readonly limits: AmazonQLimits }): void
  /** Refuses all chats for some time, until a moment, or until they are restored; `monthly` is the usual error. */
  exhaust(
    what: ForCredential & { readonly error?: ExceptionName; readonly forMs?: number; readonly until?: number | string },
  ): void
  /** Refuses all chats until they are restored. `suspended` where no error is named. */
  suspend(what: ForCredential & { readonly error?: ExceptionName }): void
  /** Takes exhaustion, suspension, scripted answers and counts away; limits stay. */
  restore(what: ForCredential): void
  /**
   * What the next chats get, as wishes: `error=NAME`, `script=NAME&words=3`; an empty one is an ordinary answer.
   * @throws {OptionError} a wish makes no sense
   */
  script(what: ForCredential & { readonly answers: readonly string[] }): void
  /** What all get who ask for an operation, instead of its answer; that again, where null. */
  failOperation(what: { readonly operation: OperationName; readonly error: ExceptionName | null }): void
  setService(settings: Partial<ServiceSettings>): void
  /** A key with which requests may be signed; instead of one that has the same id. */
  setAccessKey(key: AccessKey): void
  /** Takes a key away. */
  removeAccessKey(what: Pick<AccessKey, 'accessKeyId'>): void
  setSignIn(settings: Partial<SignInSettings>): void
  /** What the polls of one device get, or of all that are still to come. */
  scriptPolls(what: { readonly deviceCode?: string; readonly answers: readonly PollAnswer[] }): void
  scriptRefreshes(what: { readonly answers: readonly RefreshAnswer[] }): void
  /** Registers a client without asking the service. Seconds. */
  registerClient(wish?: { readonly expiresIn?: number }): Client
  /** Ends a registration. */
  expireClient(what: Pick<Client, 'clientId'>): void
  /** Signs somebody in without a device; a word in the account's name says of what kind it is. Seconds. */
  issueTokens(wish: {
    readonly account: string
    readonly expiresIn?: number
    readonly accessToken?: string
    readonly refreshToken?: string
  }): IssuedToken
  /** Ends an access token's life, or takes a refresh token away. */
  expireToken(what: { readonly token: string }): void
  /** Everything as it was at the start; numbers too. */
  reset(): void
}

/** `changed` is told of everything that was done. */
export function createControl(world: World, resetNumbers: () => void, changed: () => void): AmazonQControl {
  const telling = createTelling(changed)
  return {
    setClock: telling(({ at }) => world.clock.set(toMoment(at))),
    advanceClock: telling(({ ms }) => world.clock.advance(ms)),
    setLimits: telling(({ credential, limits }) => {
      world.accountOf(credential).quota.limits = { ...limits }
    }),
    exhaust: telling(({ credential, error = 'monthly', forMs, until }) => {
      const end = forMs !== undefined ? world.clock.now() + forMs : until !== undefined ? toMoment(until) : null
      world.accountOf(credential).exhausted = { error, until: end }
    }),
    suspend: telling(({ credential, error = 'suspended' }) => {
      world.accountOf(credential).suspended = error
    }),
    restore: telling(({ credential }) => world.accounts.restore(world.accountOf(credential))),
    script: telling(({ credential, answers }) => {
      for (const wish of answers) findScript(wish)
      world.accountOf(credential).answers.push(...answers)
    }),
    failOperation: telling(({ operation, error }) => {
      if (error === null) world.failures.delete(operation)
      else world.failures.set(operation, error)
    }),
    setService: telling(settings => void Object.assign(world.service, settings)),
    setAccessKey: telling(key => void world.accessKeys.set(key.accessKeyId, key)),
    removeAccessKey: telling(({ accessKeyId }) => void world.accessKeys.delete(accessKeyId)),
    setSignIn: telling(settings => void Object.assign(world.signIn, settings)),
    scriptPolls: telling(({ deviceCode, answers }) => {
      if (deviceCode === undefined) world.devices.script(answers)
      else world.devices.find(deviceCode)?.answers.push(...answers)
    }),
    scriptRefreshes: telling(({ answers }) => world.refreshes.script(answers)),
    registerClient: telling(({ expiresIn = world.signIn.clientExpiresIn } = {}) =>
      world.clients.register(expiresIn * 1000),
    ),
    expireClient: telling(({ clientId }) => {
      const client = world.clients.find(clientId)
      if (client !== undefined) client.expiresAt = world.clock.now()
    }),
    issueTokens: telling(({ expiresIn = world.signIn.expiresIn, ...wish }) =>
      world.tokens.issue({ ...wish, expiresInMs: expiresIn * 1000 } satisfies TokenWish),
    ),
    expireToken: telling(({ token }) => void world.tokens.expire(token)),
    reset: telling(() => {
      world.reset()
      resetNumbers()
    }),
  }
}
