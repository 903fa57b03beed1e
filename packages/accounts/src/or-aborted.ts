import { toAborted } from '@millrace/core'

/**
 * The outcome of `promise`, unless `signal` fires first.
 * @throws {GatewayError} the signal's reason where it is one, else `aborted`
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(toAborted(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
