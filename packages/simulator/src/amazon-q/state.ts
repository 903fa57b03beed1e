import type { RefreshCounts } from '../refreshes.ts'
import type { Sent } from '../sent.ts'
import type { Stats } from '../stats.ts'
import type { IssuedToken } from '../tokens.ts'
import type { Call } from './calls.ts'
import type { Client } from './clients.ts'
import type { ExceptionName } from './exceptions.ts'
import type { AmazonQDevice } from './poll-answers.ts'
import type { AmazonQLimits, AmazonQQuota, AmazonQRefusal } from './quotas.ts'
import type { SignInSettings } from './sign-in.ts'
import type { ServiceSettings, World } from './world.ts'

interface AccountState {
  readonly limits: AmazonQLimits
  /** Chats that were let through, window by window. */
  readonly used: AmazonQQuota['used']
  readonly exhausted: AmazonQRefusal | null
  readonly suspended: ExceptionName | null
  /** How many scripted answers are left. */
  readonly answers: number
}

/** All that can be known of the simulator from outside. Moments are milliseconds since 1970. */
export interface AmazonQState {
  /** On the simulator's clock, as are all other moments but those in `stats`. */
  readonly now: number
  readonly stats: Stats
  /** The last 1,000 requests to operations. */
  readonly calls: readonly Readonly<Call>[]
  /** Bearers and ids of access keys, as they were sent. */
  readonly credentials: Readonly<Record<string, Readonly<Sent>>>
  readonly accounts: Readonly<Record<string, AccountState>>
  readonly clients: readonly Readonly<Client>[]
  readonly devices: readonly Readonly<AmazonQDevice>[]
  readonly tokens: readonly Readonly<IssuedToken>[]
  readonly refreshes: Readonly<RefreshCounts>
  readonly signIn: Readonly<SignInSettings>
  readonly service: Readonly<ServiceSettings>
}

/** The state, always up to date. */
export function createState(world: World, stats: Stats): AmazonQState {
  return {
    get now() {
      return world.clock.now()
    },
    stats,
    get calls() {
      return world.calls.all()
    },
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
    get clients() {
      return world.clients.all()
    },
    get devices() {
      return world.devices.all()
    },
    get tokens() {
      return world.tokens.all()
    },
    refreshes: world.refreshes.counts,
    signIn: world.signIn,
    service: world.service,
  }
}
