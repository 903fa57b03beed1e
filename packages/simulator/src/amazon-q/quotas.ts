import { createQuota, endOfDay, endOfMonth, HOUR_MS, lasting, SECOND_MS } from '../service/quotas.ts'
import type { Quota, Windows } from '../service/quotas.ts'
import type { ExceptionName } from './exceptions.ts'

export type WindowName = 'second' | 'minute' | 'hour' | 'day' | 'month'

const WINDOWS: Windows<WindowName, ExceptionName> = {
  month: { endOf: now => endOfMonth(now), error: 'monthly' },
  day: { endOf: endOfDay, error: 'daily' },
  hour: lasting(HOUR_MS, 'credit-window'),
  minute: lasting(60 * SECOND_MS, 'throttled'),
  second: lasting(SECOND_MS, 'throttled'),
}

export const WINDOW_NAMES = Object.keys(WINDOWS) as readonly WindowName[]

export function createAmazonQQuota(): Quota<WindowName, ExceptionName> {
  return createQuota(WINDOWS)
}
