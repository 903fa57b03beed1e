import type { IncomingHttpHeaders } from 'node:http'
import { createWaiting } from './waiting.ts'

export interface LastRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly authorization: string | null
  readonly body: string
}

/**
 * What happened since the start or the last reset. Moments are Unix times in milliseconds with fractions, taken from
 * the monotonic clock, which makes them comparable between processes; `performance.timeOrigin + performance.now()` is
 * the same moment elsewhere.
 */
export interface Stats {
  /** Requests of any kind, those for these numbers excepted. */
  readonly requests: number
  /** Chat requests taken, whether a stream was asked for or not. */
  readonly chats: number
  /** Chat answers that have not come to their end: silent ones, waiting ones, stalled ones. */
  readonly streamsOpen: number
  /** Chat answers that ended as the scenario has it, faults included. */
  readonly streamsEnded: number
  /** Chat answers that were not whole yet when the client closed the connection, or the simulator its sockets. */
  readonly streamsAborted: number
  readonly socketsOpen: number
  readonly socketsAccepted: number
  /** Bytes of bodies that were handed to sockets, the marks of HTTP's chunks included. */
  readonly bytesWritten: number
  readonly lastRequest: LastRequest | null
  /** When requests had arrived whole, the last 1,000 of them. */
  readonly arrivals: readonly number[]
  /** When a client last left too early. */
  readonly abortedAt: number | null
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

export interface StatsRecorder {
  readonly stats: Stats
  readonly record: {
    request(request: LastRequest): void
    socket(change: 1 | -1): void
    chatBegan(): void
    chatClosed(outcome: 'ended' | 'aborted'): void
    wrote(bytes: number): void
  }
  /** Everything back to nothing, except for what is open now. */
  reset(): void
  /** Resolves as soon as the predicate holds. */
  when(predicate: (stats: Stats) => boolean): Promise<void>
  /** Nothing more will happen: what is still waited for is rejected. */
  close(): void
}

const MAX_ARRIVALS = 1000

const NOTHING = {
  requests: 0,
  chats: 0,
  streamsEnded: 0,
  streamsAborted: 0,
  socketsAccepted: 0,
  bytesWritten: 0,
  lastRequest: null,
  abortedAt: null,
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

/** `listener` is told of every change, once the numbers say so. */
export function createStats(listener: () => void = () => {}): StatsRecorder {
  let arrivals: number[] = []
  const stats: Writable<Stats> = { ...NOTHING, streamsOpen: 0, socketsOpen: 0, arrivals }
  const waiting = createWaiting<Stats>(stats)

  function changed(): void {
    waiting.changed()
    listener()
  }

  return {
    stats,
    record: {
      request(request) {
        stats.requests++
        stats.lastRequest = request
        if (arrivals.push(now()) > MAX_ARRIVALS) arrivals.shift()
        changed()
      },
      socket(change) {
        stats.socketsOpen += change
        if (change === 1) stats.socketsAccepted++
        changed()
      },
      chatBegan() {
        stats.chats++
        stats.streamsOpen++
        changed()
      },
      chatClosed(outcome) {
        stats.streamsOpen--
        if (outcome === 'ended') stats.streamsEnded++
        else {
          stats.streamsAborted++
          stats.abortedAt = now()
        }
        changed()
      },
      wrote(bytes) {
        stats.bytesWritten += bytes
        changed()
      },
    },
    reset() {
      arrivals = []
      Object.assign(stats, NOTHING, { arrivals })
      changed()
    },
    when: waiting.when,
    close: waiting.close,
  }
}
