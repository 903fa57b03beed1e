/** Something that must happen again within `limitMs`, or `expire` is called, once. */
export interface Deadline {
  /** It happened: start anew, with another limit where one is given. */
  touch(limitMs?: number): void
  /** No longer awaited. */
  clear(): void
}

export interface Deadlines {
  /** A running deadline; `limitMs` of Infinity never ends. */
  start(limitMs: number, expire: () => void): Deadline
  /** How many are running. */
  readonly size: number
}

/**
 * Many deadlines on one coarse timer: a deadline costs a stored number when it is touched, and is found expired at
 * most `tickMs` late. The timer runs only while there is something to wait for, on the monotonic clock.
 */
export function createDeadlines(tickMs = 50): Deadlines {
  const running = new Set<Entry>()
  let timer: NodeJS.Timeout | undefined
  let now = performance.now()

  class Entry implements Deadline {
    #limitMs: number
    #dueAt: number
    readonly #expire: () => void

    constructor(limitMs: number, expire: () => void) {
      this.#limitMs = limitMs
      this.#dueAt = performance.now() + limitMs
      this.#expire = expire
    }

    touch(limitMs?: number): void {
      if (limitMs === undefined) {
        // The time of the last tick: a touch happens per chunk, and being early by a tick is repaired by `check`.
        this.#dueAt = now + tickMs + this.#limitMs
      } else {
        this.#limitMs = limitMs
        this.#dueAt = performance.now() + limitMs
      }
    }

    clear(): void {
      running.delete(this)
    }

    check(): void {
      if (this.#dueAt > now) return
      running.delete(this)
      this.#expire()
    }
  }

  function tick(): void {
    now = performance.now()
    for (const entry of running) entry.check()
    if (running.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }

  return {
    start(limitMs, expire) {
      const entry = new Entry(limitMs, expire)
      running.add(entry)
      if (timer === undefined) {
        now = performance.now()
        timer = setInterval(tick, tickMs)
      }
      return entry
    },
    get size() {
      return running.size
    },
  }
}
