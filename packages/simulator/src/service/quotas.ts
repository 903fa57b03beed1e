/** How much of each window a request takes up. */
export type Amounts<Name extends string> = Readonly<Partial<Record<Name, number>>>

/** How much there may be in each window, mostly requests; where nothing is given, as much as there comes. */
export type Limits<Name extends string> = Readonly<Partial<Record<Name, number>>>

/** How much of a window is used. */
interface Used {
  readonly count: number
  /** On the simulator's clock. */
  readonly endsAt: number
}

interface WindowKind<ErrorName> {
  /** When a window ends whose first request comes now. */
  readonly endOf: (now: number) => number
  /** What those are told who come when it is used up. */
  readonly error: ErrorName
}

/** The windows, those first whose end is furthest away. */
export type Windows<Name extends string, ErrorName> = Readonly<Record<Name, WindowKind<ErrorName>>>

export const SECOND_MS = 1000
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** A window that begins with its first request. */
export function lasting<ErrorName>(ms: number, error: ErrorName): WindowKind<ErrorName> {
  return { endOf: now => now + ms, error }
}

/** When the UTC day ends. */
export function endOfDay(now: number): number {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS
}

/** When the month ends, where the clocks are `offsetMs` ahead of UTC. */
export function endOfMonth(now: number, offsetMs = 0): number {
  const there = new Date(now + offsetMs)
  return Date.UTC(there.getUTCFullYear(), there.getUTCMonth() + 1) - offsetMs
}

/** A refusal: what to say, and until when. */
export interface Refusal<ErrorName> {
  readonly error: ErrorName
  /** On the simulator's clock; null: until somebody changes it. */
  readonly until: number | null
}

/** What one account uses. A request counts as one in each window, unless amounts say in which, and as how much. */
export interface Quota<Name extends string, ErrorName> {
  limits: Limits<Name>
  readonly used: Readonly<Partial<Record<Name, Used>>>
  /** What a request would be told now, or null where it may go on, as it may where no window is full yet. */
  refusal(now: number, amounts?: Amounts<Name>): Refusal<ErrorName> | null
  count(now: number, amounts?: Amounts<Name>): void
  reset(): void
}

export function createQuota<Name extends string, ErrorName>(windows: Windows<Name, ErrorName>): Quota<Name, ErrorName> {
  const names = Object.keys(windows) as Name[]
  const once = Object.fromEntries(names.map(name => [name, 1])) as Amounts<Name>
  let used: Partial<Record<Name, Used>> = {}

  function usedOf(name: Name, now: number): Used {
    const known = used[name]
    return known !== undefined && now < known.endsAt ? known : { count: 0, endsAt: windows[name].endOf(now) }
  }

  return {
    limits: {} as Limits<Name>,
    get used() {
      return used
    },
    refusal(now, amounts = once) {
      for (const name of names) {
        if (amounts[name] === undefined) continue
        const { count, endsAt } = usedOf(name, now)
        const limit = this.limits[name]
        if (limit !== undefined && count >= limit) return { error: windows[name].error, until: endsAt }
      }
      return null
    },
    count(now, amounts = once) {
      for (const name of names) {
        const amount = amounts[name]
        if (amount === undefined) continue
        const { count, endsAt } = usedOf(name, now)
        used[name] = { count: count + amount, endsAt }
      }
    },
    reset() {
      used = {}
    },
  }
}
