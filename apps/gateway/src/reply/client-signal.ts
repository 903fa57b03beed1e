import { GatewayError } from '@millrace/core'
import type { ServerResponse } from 'node:http'

/** Between the two probes; the answer to the first comes back over the network meanwhile. */
const PROBE_MS = 50

/**
 * A controller whose signal aborts when the client leaves, with `aborted` as the reason; others may abort it too, with
 * reasons of their own.
 *
 * A client that closes its socket and one that only has nothing more to say look the same from here: either way the
 * connection's other half ends. So the half-closed connection is probed with something that a client skips: if nobody is
 * there, the network says so, and the connection closes.
 */
export function createClientController(response: ServerResponse): AbortController {
  const controller = new AbortController()
  const { socket } = response
  let probe: NodeJS.Timeout | undefined

  function onHalfClosed(): void {
    sendProbe(response)
    probe = setTimeout(sendProbe, PROBE_MS, response)
  }

  socket?.once('end', onHalfClosed)
  response.once('close', () => {
    clearTimeout(probe)
    socket?.off('end', onHalfClosed)
    if (!response.writableFinished) controller.abort(new GatewayError('aborted', 'The client went away.'))
  })
  return controller
}

/**
 * Before the status an interim response, after it a comment of the event stream: a whole answer ends in the moment in
 * which it begins, so what has begun and not ended is a stream. HTTP/1.0 has no interim responses, and its proxies close
 * their half only when their own client has left.
 */
function sendProbe(response: ServerResponse): void {
  if (response.closed || response.writableEnded) return
  if (response.headersSent) response.write(':\n\n')
  else if (response.req.httpVersion === '1.0') response.destroy()
  else response.writeProcessing()
}
