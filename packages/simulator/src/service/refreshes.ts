import { setTimeout } from 'node:timers/promises'

/** The refreshes that came, however they ended. */
export interface RefreshCounts {
  asked: number
  /** Those that gave a token. */
  done: number
  /** On their way now, and at once at most. */
  open: number
  openAtMost: number
}

/** What a refresh may be told to get: an answer by its name, or `ok`: a token. */
export type RefreshAnswer<Refresh> = Refresh | 'ok'

/** Refreshes of tokens: counted, slow where that is wanted, and answered in turn with what was scripted. */
export interface Refreshes<Refresh> {
  readonly counts: RefreshCounts
  script(answers: readonly RefreshAnswer<Refresh>[]): void
  /** What the next refresh gets, once it has taken its time; rejects when `closed` fires before. */
  take(closed: AbortSignal): Promise<RefreshAnswer<Refresh>>
  reset(): void
}

const NONE = { asked: 0, done: 0, open: 0, openAtMost: 0 }

export function createRefreshes<Refresh>(settings: { readonly refreshDelayMs: number }): Refreshes<Refresh> {
  const counts: RefreshCounts = { ...NONE }
  const scripted: RefreshAnswer<Refresh>[] = []
  return {
    counts,
    script: answers => void scripted.push(...answers),
    async take(closed) {
      counts.asked++
      counts.open++
      counts.openAtMost = Math.max(counts.openAtMost, counts.open)
      closed.addEventListener('abort', () => counts.open--, { once: true })
      const next = scripted.shift() ?? 'ok'
      if (settings.refreshDelayMs > 0) await setTimeout(settings.refreshDelayMs, undefined, { signal: closed })
      return next
    },
    reset() {
      scripted.length = 0
      Object.assign(counts, NONE, { open: counts.open, openAtMost: counts.open })
    },
  }
}
