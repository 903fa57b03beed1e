import { setImmediate } from 'node:timers/promises'
import { toAborted } from '@millrace/core'

/** How long a piece of work may take before others get their turn. */
const PIECE_MS = 5

/**
 * Called between steps; where others are due to have their turn, a promise of the time after it.
 * @throws {GatewayError} of {@link toAborted}
 */
export type Pause = () => Promise<void> | undefined

/** Pauses for one piece of work that nobody wants any more once `signal` fires. */
export function createPause(signal: AbortSignal): Pause {
  let since = performance.now()

  async function letOthers(): Promise<void> {
    await setImmediate()
    since = performance.now()
  }

  return () => {
    if (signal.aborted) throw toAborted(signal)
    return performance.now() - since < PIECE_MS ? undefined : letOthers()
  }
}
