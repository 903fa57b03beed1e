import { describe, expect, it } from 'vitest'
import { createQwenQuota } from './quotas.ts'
import type { WindowName } from './quotas.ts'

const NOON = Date.parse('2026-03-11T12:00:00Z') // a Wednesday

/** When a window ends whose first request comes at noon. */
function endOf(window: WindowName, at = NOON): string {
  const quota = createQwenQuota()
  quota.limits = { [window]: 1 }
  quota.count(at)
  return new Date(quota.refusal(at)!.until!).toISOString()
}

describe('windows', () => {
  it.each([
    ['second', '2026-03-11T12:00:01.000Z'],
    ['minute', '2026-03-11T12:01:00.000Z'],
    ['fiveHours', '2026-03-11T17:00:00.000Z'],
    ['day', '2026-03-12T00:00:00.000Z'],
    ['week', '2026-03-15T16:00:00.000Z'],
    ['month', '2026-03-31T16:00:00.000Z'],
  ] as const)('%s ends at %s', (window, end) => expect(endOf(window)).toBe(end))

  it.each([
    ['2026-03-15T15:59:59.999Z', '2026-03-15T16:00:00.000Z'],
    ['2026-03-15T16:00:00.000Z', '2026-03-22T16:00:00.000Z'],
  ])('a week begins on Monday in Beijing: %s', (at, end) => expect(endOf('week', Date.parse(at))).toBe(end))

  it('a year ends like any month', () => {
    expect(endOf('month', Date.parse('2026-12-31T15:00:00Z'))).toBe('2026-12-31T16:00:00.000Z')
    expect(endOf('month', Date.parse('2026-12-31T16:00:00Z'))).toBe('2027-01-31T16:00:00.000Z')
  })
})

describe('a quota', () => {
  it('refuses what is above a limit, until the window is over', () => {
    const quota = createQwenQuota()
    quota.limits = { minute: 2 }
    for (const at of [0, 10, 20]) {
      const isFull = at === 20
      expect(quota.refusal(NOON + at)).toEqual(isFull ? { error: 'rate-limit', until: NOON + 60_000 } : null)
      if (!isFull) quota.count(NOON + at)
    }
    expect(quota.refusal(NOON + 59_999)).not.toBeNull()
    expect(quota.refusal(NOON + 60_000)).toBeNull()
  })

  it('names the window that takes longest', () => {
    const quota = createQwenQuota()
    quota.limits = { second: 1, fiveHours: 1, month: 1 }
    quota.count(NOON)
    expect(quota.refusal(NOON)!.error).toBe('month-quota')
    quota.limits = { second: 1, fiveHours: 1 }
    expect(quota.refusal(NOON)!.error).toBe('hour-quota')
    quota.reset()
    expect(quota.refusal(NOON)).toBeNull()
  })
})
