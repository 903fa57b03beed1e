import type { Stats } from '../stats.ts'
import type { Device } from './devices.ts'
import type { Limits, Quota, Refusal } from './quotas.ts'
import type { RefreshCounts } from './refreshes.ts'
import type { Sent } from './sent.ts'
import type { IssuedToken } from './tokens.ts'
import type { ServiceTypes, ServiceWorld } from './world.ts'

interface AccountState<WindowName extends string, ErrorName> {
  readonly limits: Limits<WindowName>
  /** What was let through, window by window. */
  readonly used: Quota<WindowName, ErrorName>['used']
  readonly exhausted: Refusal<ErrorName> | null
  readonly suspended: ErrorName | null
  /** How many scripted answers are left. */
  readonly answers: number
}

/** What can be known of the simulator of any service from outside. Moments are milliseconds since 1970. */
export interface ServiceState<Types extends ServiceTypes> {
  /** On the simulator's clock, as are all other moments but those in `stats`. */
  readonly now: number
  readonly stats: Stats
  /** What was sent as keys and tokens. */
  readonly credentials: Readonly<Record<string, Readonly<Sent>>>
  readonly accounts: Readonly<Record<string, AccountState<Types['window'], Types['error']>>>
  readonly devices: readonly Readonly<Device<Types['poll'], Types['bound']>>[]
  readonly tokens: readonly Readonly<IssuedToken>[]
  readonly refreshes: Readonly<RefreshCounts>
  readonly signIn: Readonly<Types['signIn']>
}

/** How to learn each member of a state. */
export type Readings<State> = { readonly [Name in keyof State]: () => State[Name] }

export function readService<Types extends ServiceTypes>(
  world: ServiceWorld<Types>,
  stats: Stats,
): Readings<ServiceState<Types>> {
  return {
    now: world.clock.now,
    stats: () => stats,
    credentials: () => Object.fromEntries(world.sent.all),
    accounts: () =>
      Object.fromEntries(
        [...world.accounts.all()].map(({ name, quota, exhausted, suspended, answers }) => [
          name,
          { limits: quota.limits, used: quota.used, exhausted, suspended, answers: answers.length },
        ]),
      ),
    devices: world.devices.all,
    tokens: world.tokens.all,
    refreshes: () => world.refreshes.counts,
    signIn: () => world.signIn,
  }
}

/** A state that is always up to date. */
export function toState<State extends object>(readings: Readings<State>): State {
  const members = Object.entries<() => unknown>(readings)
  return Object.defineProperties(
    {},
    Object.fromEntries(members.map(([name, get]) => [name, { get, enumerable: true }])),
  ) as State
}
