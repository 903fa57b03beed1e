import type { Socket } from 'node:net'

/** How long a client may take to read its last answer before the connection is gone for good. */
const LINGER_MS = 2000

/**
 * Closes a connection behind what was written. What the client is still sending is not read any more, and holds it up: a
 * connection that is closed with unread bytes in it is reset, and the reset may overtake the answer.
 */
export function closeGently(socket: Socket): void {
  socket.pause()
  socket.end()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** Has Node close the connection gently when the answer under way, its last one, is out. */
export function thenCloseGently(socket: Socket): void {
  socket.destroySoon = () => closeGently(socket)
}
