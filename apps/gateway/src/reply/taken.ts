import { GatewayError } from '@millrace/core'
import type { ServerResponse } from 'node:http'

/**
 * Resolves when the client has taken what was written: enough of it to go on (`drain`), or all of it (`finish`). One
 * that takes nothing for `stallMs` is given up. @throws {GatewayError} `client_stall`, `aborted`
 */
export function taken(response: ServerResponse, event: 'drain' | 'finish', stallMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.writableFinished) return resolve()
    if (response.closed || response.destroyed) return reject(gone())
    const source = event === 'drain' ? (response.socket ?? response) : response
    source.once(event, onTaken)
    response.once('close', onClose)
    response.once('timeout', onStall)
    // The socket's own clock sees every byte that leaves, not only the last.
    response.setTimeout(stallMs)

    function settle(): void {
      response.setTimeout(0)
      source.off(event, onTaken)
      response.off('close', onClose)
      response.off('timeout', onStall)
    }
    function onTaken(): void {
      settle()
      resolve()
    }
    function onClose(): void {
      settle()
      reject(gone())
    }
    function onStall(): void {
      settle()
      response.destroy()
      reject(new GatewayError('client_stall', 'The client stopped reading its answer.'))
    }
  })
}

function gone(): GatewayError {
  return new GatewayError('aborted', 'The client went away.')
}
