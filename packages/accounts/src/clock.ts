/** Both clocks of a machine; tests hand in their own. */
export interface Clock {
  /** Wall time, milliseconds since 1970. What is kept over restarts is told in it; it may jump. */
  now(): number
  /** Milliseconds since some moment. Never jumps, but stands still while the machine sleeps. */
  elapsed(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
}

const DAY_MS = 86_400_000

/** The UTC day of a wall time, counted from 1970. */
export function utcDayOf(now: number): number {
  return Math.floor(now / DAY_MS)
}
