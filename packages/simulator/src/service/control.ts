import { toMoment } from './clock.ts'
import type { PollAnswer } from './devices.ts'
import type { Limits } from './quotas.ts'
import type { RefreshAnswer } from './refreshes.ts'
import type { IssuedToken } from './tokens.ts'
import type { ServiceTypes, ServiceWorld } from './world.ts'

/** A key, an access or refresh token, or the name of an account. */
interface ForCredential {
  readonly credential: string
}

/**
 * What can be done to the simulator of any service. Each takes one object, which is also what stands behind its name in
 * the body of `POST /control`.
 */
export interface ServiceControl<Types extends ServiceTypes> {
  /** Sets the clock: milliseconds since 1970, or a date as ISO 8601 has it. */
  setClock(to: { readonly at: number | string }): void
  advanceClock(by: { readonly ms: number }): void
  /** How much there may be in each window, in place of all limits so far. */
  setLimits(to: ForCredential & { readonly limits: Limits<Types['window']> }): void
  /** Refuses all that counts for some time, until a moment, or until it is restored. */
  exhaust(
    what: ForCredential & {
      readonly error?: Types['error']
      readonly forMs?: number
      readonly until?: number | string
    },
  ): void
  /** Refuses all that counts until it is restored. */
  suspend(what: ForCredential & { readonly error?: Types['error'] }): void
  /** Takes exhaustion, suspension, scripted answers and counts away; limits stay. */
  restore(what: ForCredential): void
  /**
   * What the next requests to a model get, as wishes: `error=NAME`, `script=NAME&words=3`; an empty one is an ordinary
   * answer.
   * @throws {OptionError} a wish makes no sense
   */
  script(what: ForCredential & { readonly answers: readonly string[] }): void
  setSignIn(settings: Partial<Types['signIn']>): void
  /** What the polls of one device get, or of all that are still to come. */
  scriptPolls(what: { readonly deviceCode?: string; readonly answers: readonly PollAnswer<Types['poll']>[] }): void
  scriptRefreshes(what: { readonly answers: readonly RefreshAnswer<Types['refresh']>[] }): void
  /** Signs somebody in without a device. Seconds. */
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

interface ControlOptions<Types extends ServiceTypes> {
  /** @throws {OptionError} the wish makes no sense */
  readonly findScript: (wish: string) => unknown
  /** The errors of accounts for which none is named. */
  readonly usual: { readonly exhausted: Types['error']; readonly suspended: Types['error'] }
  readonly resetNumbers: () => void
}

export function createServiceControl<Types extends ServiceTypes>(
  world: ServiceWorld<Types>,
  { findScript, usual, resetNumbers }: ControlOptions<Types>,
): ServiceControl<Types> {
  return {
    setClock: ({ at }) => world.clock.set(toMoment(at)),
    advanceClock: ({ ms }) => world.clock.advance(ms),
    setLimits({ credential, limits }) {
      world.accountOf(credential).quota.limits = { ...limits }
    },
    exhaust({ credential, error = usual.exhausted, forMs, until }) {
      const end = forMs !== undefined ? world.clock.now() + forMs : until !== undefined ? toMoment(until) : null
      world.accountOf(credential).exhausted = { error, until: end }
    },
    suspend({ credential, error = usual.suspended }) {
      world.accountOf(credential).suspended = error
    },
    restore: ({ credential }) => world.accounts.restore(world.accountOf(credential)),
    script({ credential, answers }) {
      for (const wish of answers) findScript(wish)
      world.accountOf(credential).answers.push(...answers)
    },
    setSignIn: settings => void Object.assign(world.signIn, settings),
    scriptPolls({ deviceCode, answers }) {
      if (deviceCode === undefined) world.devices.script(answers)
      else world.devices.find(deviceCode)?.answers.push(...answers)
    },
    scriptRefreshes: ({ answers }) => world.refreshes.script(answers),
    issueTokens: ({ expiresIn = world.signIn.expiresIn, ...wish }) =>
      world.tokens.issue({ ...wish, expiresInMs: expiresIn * 1000 }),
    expireToken: ({ token }) => void world.tokens.expire(token),
    reset() {
      world.reset()
      resetNumbers()
    },
  }
}
