import type { Deadline, UpstreamBody } from '@millrace/core'

/** How much may wait here before the socket is no longer read. One read is at most 64 KiB. */
const HIGH_WATER_BYTES = 64 * 1024

/** What the body needs of the connection it comes from. */
export interface Flow {
  pause(): void
  resume(): void
  /** Closes the connection, whatever is still on its way. */
  abort(): void
}

export interface ReplyBody extends UpstreamBody {
  /** @param clock runs out when no bytes come for `idleMs` */
  open(flow: Flow, clock: Deadline, idleMs: number): void
  add(read: Buffer): void
  end(): void
  fail(error: Error): void
  /** Whether silence is the good end: see {@link UpstreamBody.endWithin}. */
  readonly ending: boolean
}

/**
 * The bytes of one answer between the connection that brings them and the loop that takes them. All that came in one go
 * is handed on in one piece; when the loop is slow the connection is paused, and its clock with it.
 */
export function createReplyBody(): ReplyBody {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let wake: (() => void) | undefined
  let flow: Flow | undefined
  let clock: Deadline | undefined
  let idleMs = 0
  let paused = false
  let ended = false
  let failure: Error | undefined
  let begun = false
  let ending = false
  let abandoned = false

  function settle(): void {
    clock?.clear()
    wake?.()
  }

  function takeAll(): Buffer {
    const taken = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting, waitingBytes)
    waiting = []
    waitingBytes = 0
    if (paused) {
      paused = false
      clock?.touch(idleMs)
      flow?.resume()
    }
    return taken
  }

  return {
    get ending() {
      return ending
    },
    open(theFlow, theClock, limitMs) {
      flow = theFlow
      clock = theClock
      idleMs = limitMs
    },
    add(read) {
      if (abandoned) return
      // The first bytes set another limit, all others only start it anew, which costs less.
      if (begun) clock?.touch()
      else clock?.touch(idleMs)
      begun = true
      waiting.push(read)
      waitingBytes += read.length
      wake?.()
      if (waitingBytes >= HIGH_WATER_BYTES && !paused) {
        paused = true
        // A pause of ours is no silence of theirs.
        clock?.touch(Infinity)
        flow?.pause()
      }
    },
    end() {
      ended = true
      settle()
    },
    fail(error) {
      failure ??= error
      settle()
    },
    endWithin(ms) {
      ending = true
      idleMs = ms
      if (!paused) clock?.touch(ms)
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          if (waiting.length > 0) yield takeAll()
          else if (failure !== undefined) throw failure
          else if (ended) return
          else await new Promise<void>(resolve => (wake = resolve))
        }
      } finally {
        abandoned = true
        waiting = []
        if (!ended && failure === undefined) {
          // A good end leaves the connection a moment to come free; any other leaving closes it at once.
          if (ending) {
            if (paused) flow?.resume()
          } else flow?.abort()
        }
      }
    },
  }
}
