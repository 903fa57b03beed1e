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
