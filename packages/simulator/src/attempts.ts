export interface Attempts {
  /** How often this has come, this time included. */
  count(what: string): number
  reset(): void
}

const MAX_COUNTED = 10_000

/** Counts how often what was asked; begins anew where that gets too much to remember. */
export function createAttempts(): Attempts {
  const counts = new Map<string, number>()
  return {
    count(what) {
      if (counts.size === MAX_COUNTED) counts.clear()
      const count = (counts.get(what) ?? 0) + 1
      counts.set(what, count)
      return count
    },
    reset: () => counts.clear(),
  }
}
