import { createFlow, type Deadline, type Flow, type Sink, type UpstreamBody } from '@millrace/core'

/** How much may wait here before the socket is no longer read. One read is at most 64 KiB. */
const HIGH_WATER_BYTES = 64 * 1024

/** What the body needs of the connection it comes from. */
interface Connection {
  pause(): void
  resume(): void
  /** Closes the connection, whatever is still on its way. */
  abort(): void
}

export interface ReplyBody extends UpstreamBody, Flow<Buffer> {
  /** @param clock runs out when no bytes come for `idleMs` */
  open(connection: Connection, clock: Deadline, idleMs: number): void
  add(read: Buffer): void
  end(): void
  fail(error: Error): void
  /** Whether silence is the good end: see {@link UpstreamBody.endWithin}. */
  isEnding(): boolean
  /** Nothing more is wanted, although whoever reads is waiting for something to come. */
  leave(): void
}

/**
 * The bytes of one answer between the connection that brings them and the sink that takes them. All that came in one go
 * is handed on in one piece; when the sink is slow the connection is paused, and its clock with it.
 */
export function createReplyBody(): ReplyBody {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let scheduled = false
  let connection: Connection | undefined
  let clock: Deadline | undefined
  let idleMs = 0
  let paused = false
  let begun = false
  let ending = false
  let over: { readonly failure: Error | undefined } | undefined
  let sink: Sink<Buffer> | undefined
  let busy = false
  let left = false
  const { promise, resolve, reject } = Promise.withResolvers<void>()

  function takeAll(): Buffer {
    const taken = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting, waitingBytes)
    waiting = []
    waitingBytes = 0
    if (paused) {
      paused = false
      clock?.touch(idleMs)
      connection?.resume()
    }
    return taken
  }

  function flush(): void {
    scheduled = false
    if (sink === undefined || busy || left) return
    try {
      while (waiting.length > 0) {
        const wanted = sink(takeAll())
        if (wanted === false) return leave()
        if (typeof wanted === 'object') {
          busy = true
          wanted.then(resumeFlush, leave)
          return
        }
      }
    } catch (error) {
      return leave(error)
    }
    if (over?.failure !== undefined) reject(over.failure)
    else if (over !== undefined) resolve()
  }

  function resumeFlush(wanted: boolean | void): void {
    busy = false
    if (wanted === false) leave()
    else flush()
  }

  /** Nothing more is wanted: because the sink has failed, where there is an error. */
  function leave(...failed: [error?: unknown]): void {
    left = true
    waiting = []
    if (over === undefined) {
      // A good end leaves the connection a moment to come free; any other leaving closes it at once.
      if (!ending) connection?.abort()
      else if (paused) {
        clock?.touch(idleMs)
        connection?.resume()
      }
    }
    if (failed.length > 0) reject(failed[0])
    else resolve()
  }

  function schedule(): void {
    if (scheduled || sink === undefined) return
    scheduled = true
    // What one network read brings comes in several calls, one right after the other.
    queueMicrotask(flush)
  }

  function settle(failure: Error | undefined): void {
    over ??= { failure }
    clock?.clear()
    schedule()
  }

  return {
    ...createFlow(theSink => {
      sink = theSink
      schedule()
      return promise
    }),
    isEnding: () => ending,
    open(theConnection, theClock, limitMs) {
      connection = theConnection
      clock = theClock
      idleMs = limitMs
    },
    add(read) {
      if (left) return
      // The first bytes set another limit, all others only start it anew, which costs less.
      if (begun) clock?.touch()
      else clock?.touch(idleMs)
      begun = true
      waiting.push(read)
      waitingBytes += read.length
      schedule()
      if (waitingBytes >= HIGH_WATER_BYTES && !paused) {
        paused = true
        // A pause of ours is no silence of theirs.
        clock?.touch(Infinity)
        connection?.pause()
      }
    },
    end: () => settle(undefined),
    fail: settle,
    leave: () => leave(),
    endWithin(ms) {
      ending = true
      idleMs = ms
      if (!paused) clock?.touch(ms)
    },
  }
}
