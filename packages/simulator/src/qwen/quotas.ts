import { createQuota, DAY_MS, endOfDay, endOfMonth, HOUR_MS, lasting, SECOND_MS } from '../service/quotas.ts'
import type { Amounts, Quota, Windows } from '../service/quotas.ts'
import type { ErrorName } from './errors.ts'

type RequestWindow = 'second' | 'minute' | 'fiveHours' | 'day' | 'week' | 'month'
/** Those of requests; `tokens` of questions, in a minute; `searches` of the web, in a day. */
export type WindowName = RequestWindow | 'tokens' | 'searches'
/** What a request takes up. */
export type QwenCost = Amounts<WindowName>

/** Weeks and months are counted in Beijing. */
const BEIJING_MS = 8 * HOUR_MS

const WINDOWS: Windows<WindowName, ErrorName> = {
  month: { endOf: now => endOfMonth(now, BEIJING_MS), error: 'month-quota' },
  week: { endOf: endOfWeek, error: 'week-quota' },
  day: { endOf: endOfDay, error: 'free-quota' },
  searches: { endOf: endOfDay, error: 'free-quota' },
  fiveHours: lasting(5 * HOUR_MS, 'hour-quota'),
  minute: lasting(60 * SECOND_MS, 'rate-limit'),
  tokens: lasting(60 * SECOND_MS, 'token-limit'),
  second: lasting(SECOND_MS, 'burst-rate'),
}

export const WINDOW_NAMES = Object.keys(WINDOWS) as readonly WindowName[]

/** The next Monday, 00:00 in Beijing. Day 0 of the calendar was a Thursday. */
function endOfWeek(now: number): number {
  const day = Math.floor((now + BEIJING_MS) / DAY_MS)
  return (day + 7 - ((day + 3) % 7)) * DAY_MS - BEIJING_MS
}

const ONE_REQUEST = { month: 1, week: 1, day: 1, fiveHours: 1, minute: 1, second: 1 } satisfies Record<RequestWindow, 1>

/** What a request takes up that asks a model with so many tokens. */
export function costOf(tokens: number): QwenCost {
  return { ...ONE_REQUEST, tokens }
}

export const COST_OF_SEARCH: QwenCost = { searches: 1 }

/** Where nobody sets a limit. */
const SEARCHES_A_DAY = 1000

export function createQwenQuota(): Quota<WindowName, ErrorName> {
  const quota = createQuota(WINDOWS)
  quota.limits = { searches: SEARCHES_A_DAY }
  return quota
}
