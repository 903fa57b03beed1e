import { toMoment } from '../clock.ts'
import type { RetryAfterForm } from '../retry-after.ts'
import { createTelling } from '../telling.ts'
import type { IssuedToken, TokenWish } from '../tokens.ts'
import type { ErrorName } from './errors.ts'
import type { KeySettings } from './keys.ts'
import type { PollAnswer, RefreshAnswer } from './poll-answers.ts'
import type { QwenLimits } from './quotas.ts'
import { findScript } from './scripts.ts'
import type { SignInSettings } from './sign-in.ts'
import type { Tier, World } from './world.ts'

/** A key, an access or refresh token, or the name of an account. */
interface ForCredential {
  readonly credential: string
}

/**
 * What can be done to the simulator. Each takes one object, which is also what stands behind its name in the body of
 * `POST /control`.
 */
export interface QwenControl {
  /** Sets the clock: milliseconds since 1970, or a date as ISO 8601 has it. */
  setClock(to: { readonly at: number | string }): void
  advanceClock(by: { readonly ms: number }): void
  /**
   * In place of all limits so far: how many requests there may be in each window, how many `tokens` of questions a minute (about
   * four characters each), how many `searches` of the web a day.
   */
  setLimits(to: ForCredential & { readonly limits: QwenLimits }): void
  /** Refuses all requests for some time, until a moment, or until they are restored; `free-quota` is the usual error. */
  exhaust(
    what: ForCredential & { readonly error?: ErrorName; readonly forMs?: number; readonly until?: number | string },
  ): void
  /** Refuses all requests until they are restored. `arrearage` where no error is named. */
  suspend(what: ForCredential & { readonly error?: ErrorName }): void
  /** Takes exhaustion, suspension, scripted answers and counts away; limits stay. */
  restore(what: ForCredential): void
  /**
   * What the next chats and embeddings get, as wishes: `error=NAME`, `script=NAME&words=3`; an empty one is an ordinary
   * answer.
   * @throws {OptionError} a wish makes no sense
   */
  script(what: ForCredential & { readonly answers: readonly string[] }): void
  /** Where a key counts, and who pays for it. */
  setKey(key: KeySettings & { readonly key: string }): void
  /** From now on only keys that were set are good. */
  demandKnownKeys(): void
  setTier(tier: Partial<Tier>): void
  setSignIn(settings: Partial<SignInSettings>): void
  /** What the polls of one device get, or of all that are still to come. */
  scriptPolls(what: { readonly deviceCode?: string; readonly answers: readonly PollAnswer[] }): void
  scriptRefreshes(what: { readonly answers: readonly RefreshAnswer[] }): void
  /** Signs somebody in without a device. */
  issueTokens(wish: {
    readonly account: string
    readonly expiresIn?: number
    readonly accessToken?: string
    readonly refreshToken?: string
  }): IssuedToken
  /** Ends an access token's life, or takes a refresh token away. */
  expireToken(what: { readonly token: string }): void
  /** What those get who ask for the list of models, on all hosts; the list again, where null. */
  setModelList(to: { readonly error: ErrorName | null }): void
  /** How errors of quotas tell until when they hold. */
  setRetryAfter(to: { readonly form: RetryAfterForm }): void
  /** Everything as it was at the start; numbers too. */
  reset(): void
}

/** `changed` is told of everything that was done. */
export function createControl(world: World, resetNumbers: () => void, changed: () => void): QwenControl {
  const telling = createTelling(changed)
  return {
    setClock: telling(({ at }) => world.clock.set(toMoment(at))),
    advanceClock: telling(({ ms }) => world.clock.advance(ms)),
    setLimits: telling(({ credential, limits }) => {
      world.accountOf(credential).quota.limits = { ...limits }
    }),
    exhaust: telling(({ credential, error = 'free-quota', forMs, until }) => {
      const end = forMs !== undefined ? world.clock.now() + forMs : until !== undefined ? toMoment(until) : null
      world.accountOf(credential).exhausted = { error, until: end }
    }),
    suspend: telling(({ credential, error = 'arrearage' }) => {
      world.accountOf(credential).suspended = error
    }),
    restore: telling(({ credential }) => world.accounts.restore(world.accountOf(credential))),
    script: telling(({ credential, answers }) => {
      for (const wish of answers) findScript(wish)
      world.accountOf(credential).answers.push(...answers)
    }),
    setKey: telling(({ key, ...settings }) => world.keys.set(key, settings)),
    demandKnownKeys: telling(() => world.keys.demandKnown()),
    setTier: telling(tier => void Object.assign(world.tier, tier)),
    setSignIn: telling(settings => void Object.assign(world.signIn, settings)),
    scriptPolls: telling(({ deviceCode, answers }) => {
      if (deviceCode === undefined) world.devices.script(answers)
      else world.devices.find(deviceCode)?.answers.push(...answers)
    }),
    scriptRefreshes: telling(({ answers }) => world.refreshes.script(answers)),
    issueTokens: telling(({ expiresIn = world.signIn.expiresIn, ...wish }) =>
      world.tokens.issue({ ...wish, expiresInMs: expiresIn * 1000 } satisfies TokenWish),
    ),
    expireToken: telling(({ token }) => void world.tokens.expire(token)),
    setModelList: telling(({ error }) => {
      world.modelListError = error
    }),
    setRetryAfter: telling(({ form }) => {
      world.retryAfter = form
    }),
    reset: telling(() => {
      world.reset()
      resetNumbers()
    }),
  }
}
