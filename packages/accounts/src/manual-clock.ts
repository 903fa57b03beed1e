import type { Clock } from './clock.ts'

export interface ManualClock extends Clock {
  /** Lets time pass. */
  advance(ms: number): void
  /** Sets the wall clock, while no time passes. */
  jump(ms: number): void
}

/** For tests: time passes when told to. */
export function createManualClock(now = Date.UTC(2026, 10, 20, 12)): ManualClock {
  let elapsed = 0
  return {
    now: () => now,
    elapsed: () => elapsed,
    advance(ms) {
      now += ms
      elapsed += ms
    },
    jump(ms) {
      now += ms
    },
  }
}
