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
 * Many deadlines on one coarse timer: a touch costs one stored flag. None expires early; each is found expired at most
 * one tick late, or two after a touch that set no new limit. The timer runs only while there is something to wait for,
 * on the monotonic clock.
 */
export function createDeadlines(tickMs = 50): Deadlines {
  const running = new Set<Entry>()
  let timer: NodeJS.Timeout | undefined

  class Entry implements Deadline {
    #limitMs: number
    #dueAt: number
    #touched = false
    #expire: () => void

    constructor(limitMs: number, expire: () => void) {
      this.#limitMs = limitMs
      this.#dueAt = performance.now() + limitMs
      this.#expire = expire
    }

    touch(limitMs?: number): void {
      // A bare touch happens per chunk: no clock is read here, the next tick takes its own time for that of the touch.
      this.#touched = limitMs === undefined
      if (limitMs === undefined) return
      this.#limitMs = limitMs
      this.#dueAt = performance.now() + limitMs
    }

    clear(): void {
      running.delete(this)
      // What has been in a busy set may stay in memory until everything is next collected (docs/performance.md). That is
      // this entry, and must not be the whole of a request with it.
      this.#expire = nothing
    }

    check(now: number): void {
      if (this.#touched) {
        this.#touched = false
        this.#dueAt = now + this.#limitMs
      }
      if (this.#dueAt > now) return
      const expire = this.#expire
      this.clear()
      expire()
    }
  }

  function tick(): void {
    const now = performance.now()
    for (const entry of running) entry.check(now)
    if (running.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }

  return {
    start(limitMs, expire) {
      const entry = new Entry(limitMs, expire)
      running.add(entry)
      timer ??= setInterval(tick, tickMs)
      return entry
    },
    get size() {
      return running.size
    },
  }
}

function nothing(): void {}
