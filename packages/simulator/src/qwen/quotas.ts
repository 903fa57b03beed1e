import type { ErrorName } from './errors.ts'

export type WindowName = 'second' | 'minute' | 'fiveHours' | 'day' | 'week' | 'month'

/** How many requests there may be in a window; where none is given, as many as there come. */
export type Limits = Readonly<Partial<Record<WindowName, number>>>

/** How much of a window is used. */
export interface Used {
  readonly count: number
  /** On the simulator's clock. */
  readonly endsAt: number
}

interface WindowKind {
  /** When a window ends whose first request comes now. */
  readonly endOf: (now: number) => number
  /** What those are told who come when it is used up. */
  readonly error: ErrorName
}

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Weeks and months are counted in Beijing. */
const BEIJING_MS = 8 * HOUR_MS

function lasting(ms: number, error: ErrorName): WindowKind {
  return { endOf: now => now + ms, error }
}

/** The windows, those first whose end is furthest away. */
const WINDOWS: Readonly<Record<WindowName, WindowKind>> = {
  month: { endOf: endOfMonth, error: 'month-quota' },
  week: { endOf: endOfWeek, error: 'week-quota' },
  day: { endOf: now => (Math.floor(now / DAY_MS) + 1) * DAY_MS, error: 'free-quota' },
  fiveHours: lasting(5 * HOUR_MS, 'hour-quota'),
  minute: lasting(60 * SECOND_MS, 'rate-limit'),
  second: lasting(SECOND_MS, 'burst-rate'),
}

export const WINDOW_NAMES = Object.keys(WINDOWS) as readonly WindowName[]

function endOfMonth(now: number): number {
  const there = new Date(now + BEIJING_MS)
  return Date.UTC(there.getUTCFullYear(), there.getUTCMonth() + 1) - BEIJING_MS
}

/** The next Monday, 00:00 in Beijing. Day 0 of the calendar was a Thursday. */
function endOfWeek(now: number): number {
  const day = Math.floor((now + BEIJING_MS) / DAY_MS)
  return (day + 7 - ((day + 3) % 7)) * DAY_MS - BEIJING_MS
}

/** A refusal: what to say, and until when. */
export interface Refusal {
  readonly error: ErrorName
  /** On the simulator's clock; null: until somebody changes it. */
  readonly until: number | null
}

/** The requests of one account, counted in all windows. */
export interface Quota {
  limits: Limits
  readonly used: Readonly<Partial<Record<WindowName, Used>>>
  /** What a request would be told now, or null where it may go on. */
  refusal(now: number): Refusal | null
  count(now: number): void
  reset(): void
}

export function createQuota(): Quota {
  let used: Partial<Record<WindowName, Used>> = {}

  function usedOf(name: WindowName, now: number): Used {
    const known = used[name]
    return known !== undefined && now < known.endsAt ? known : { count: 0, endsAt: WINDOWS[name].endOf(now) }
  }

  return {
    limits: {},
    get used() {
      return used
    },
    refusal(now) {
      for (const name of WINDOW_NAMES) {
        const { count, endsAt } = usedOf(name, now)
        const limit = this.limits[name]
        if (limit !== undefined && count >= limit) return { error: WINDOWS[name].error, until: endsAt }
      }
      return null
    },
    count(now) {
      for (const name of WINDOW_NAMES) {
        const { count, endsAt } = usedOf(name, now)
        used[name] = { count: count + 1, endsAt }
      }
    },
    reset() {
      used = {}
    },
  }
}
