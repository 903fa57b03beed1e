import type { RefreshCounts } from '../refreshes.ts'
import type { Sent } from '../sent.ts'
import type { Stats } from '../stats.ts'
import type { IssuedToken } from '../tokens.ts'
import type { ErrorName } from './errors.ts'
import type { QwenDevice } from './poll-answers.ts'
import type { QwenLimits, QwenQuota, QwenRefusal } from './quotas.ts'
import type { SignInSettings } from './sign-in.ts'
import type { Tier, World } from './world.ts'

interface AccountState {
  readonly limits: QwenLimits
  /** Requests that were let through, window by window. */
  readonly used: QwenQuota['used']
  readonly exhausted: QwenRefusal | null
  readonly suspended: ErrorName | null
  /** How many scripted answers are left. */
  readonly answers: number
}

/** All that can be known of the simulator from outside. Moments are milliseconds since 1970. */
export interface QwenState {
  /** On the simulator's clock, as are all other moments but those in `stats`. */
  readonly now: number
  readonly stats: Stats
  /** Keys and tokens, as they were sent. */
  readonly credentials: Readonly<Record<string, Readonly<Sent>>>
  readonly accounts: Readonly<Record<string, AccountState>>
  readonly devices: readonly Readonly<QwenDevice>[]
  readonly tokens: readonly Readonly<IssuedToken>[]
  readonly refreshes: Readonly<RefreshCounts>
  readonly signIn: Readonly<SignInSettings>
  readonly tier: Readonly<Tier>
}

/** The state, always up to date. */
export function createState(world: World, stats: Stats): QwenState {
  return {
    get now() {
      return world.clock.now()
    },
    stats,
    get credentials() {
      return Object.fromEntries(world.sent.all)
    },
    get accounts() {
      return Object.fromEntries(
        [...world.accounts.all()].map(({ name, quota, exhausted, suspended, answers }) => [
          name,
          { limits: quota.limits, used: quota.used, exhausted, suspended, answers: answers.length },
        ]),
      )
    },
    get devices() {
      return world.devices.all()
    },
    get tokens() {
      return world.tokens.all()
    },
    refreshes: world.refreshes.counts,
    signIn: world.signIn,
    tier: world.tier,
  }
}
