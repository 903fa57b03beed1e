import {
  createFlow,
  GatewayError,
  UpstreamError,
  type Sink,
  type Upstream,
  type UpstreamBody,
  type UpstreamRequest,
} from '@millrace/core'

/**
 * What follows the last read: the end; silence, which is the end where the provider called `endWithin` and else
 * `idle_timeout`, both at once; nothing at all until the call is aborted; or a broken connection.
 */
export type Ending = 'end' | 'silence' | 'open' | Error

export interface ReplayedReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly reads: Iterable<Buffer>
  /** `end` where not given. */
  readonly ending?: Ending
}

export interface Replay extends Upstream {
  /** Every request so far. */
  readonly asked: readonly UpstreamRequest[]
  /** How many reads were taken from the body. */
  readonly reads: number
  /** Whether a connection is held: from the answer on, until its body ended, its loop was left or the call was aborted. */
  readonly connected: boolean
  /** Resolves when all reads were taken and another one is asked for; where there is no answer, when one is asked for. */
  readonly exhausted: Promise<void>
}

/**
 * An upstream in memory that gives the same answer to every request; with `undefined` for an answer it never gives one.
 * Keeps the contract of `Upstream`, abort included, and knows no clocks.
 */
export function createReplay(reply: ReplayedReply | undefined): Replay {
  const asked: UpstreamRequest[] = []
  let reads = 0
  let connected = false
  const exhausted = Promise.withResolvers<void>()

  function bodyOf({ reads: pieces, ending = 'end' }: ReplayedReply, signal: AbortSignal): UpstreamBody {
    let endsInSilence = false

    async function flow(sink: Sink<Buffer>): Promise<void> {
      try {
        for (const piece of pieces) {
          await undefined // each read comes by itself
          signal.throwIfAborted()
          reads++
          if ((await sink(piece)) === false) return
        }
        exhausted.resolve()
        if (ending instanceof Error) throw ending
        if (ending === 'open') await abortOf(signal)
        if (ending === 'silence' && !endsInSilence) throw new UpstreamError('idle_timeout', 'Nothing came any more.')
      } catch (error) {
        throw signal.aborted ? toAborted(signal) : error
      } finally {
        connected = false
      }
    }

    return {
      ...createFlow(flow),
      endWithin() {
        endsInSilence = true
      },
    }
  }

  return {
    asked,
    get reads() {
      return reads
    },
    get connected() {
      return connected
    },
    exhausted: exhausted.promise,
    async request(request) {
      asked.push(request)
      const { signal } = request
      if (signal.aborted) throw toAborted(signal)
      connected = true
      signal.addEventListener('abort', () => (connected = false), { once: true })
      if (reply === undefined) {
        exhausted.resolve()
        return abortOf(signal)
      }
      const { status = 200, headers = {} } = reply
      return { status, headers, body: bodyOf(reply, signal) }
    },
  }
}

function toAborted({ reason }: AbortSignal): GatewayError {
  return reason instanceof GatewayError ? reason : new GatewayError('aborted', 'The call was aborted.')
}

/** Rejects when the signal fires. */
function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(toAborted(signal)), { once: true })
  })
}
