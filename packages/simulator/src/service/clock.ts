/** The simulator's own time: it goes on by itself, and can be set and put forward. */
export interface SimulatedClock {
  /** Milliseconds since 1970. */
  now(): number
  set(at: number): void
  advance(ms: number): void
  /** Back to the machine's time. */
  reset(): void
}

export function createSimulatedClock(): SimulatedClock {
  let offset = 0
  return {
    now: () => Date.now() + offset,
    set(at) {
      offset = at - Date.now()
    },
    advance(ms) {
      offset += ms
    },
    reset() {
      offset = 0
    },
  }
}

/** Milliseconds since 1970, of those or of a date as ISO 8601 has it. */
export function toMoment(at: number | string): number {
  return typeof at === 'number' ? at : Date.parse(at)
}
