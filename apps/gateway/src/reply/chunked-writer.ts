import type { ServerResponse } from 'node:http'

/**
 * Writes pieces of a body whose header was sent; returns false when the client should be waited for. The pieces are
 * framed here and handed to the socket in one buffer each: `ServerResponse.write` makes three of a piece (size, data,
 * line end), which costs several microseconds more (docs/performance.md). The end still
 * belongs to the response: `response.end()` closes the body.
 */
export function writeChunk(response: ServerResponse, piece: Buffer): boolean {
  const { socket } = response
  // Without a socket of its own the answer waits for an earlier one on the same connection; HTTP/1.0 knows no chunks.
  if (socket === null || response.writableLength > 0 || !response.chunkedEncoding) return response.write(piece)
  const size = `${piece.length.toString(16)}\r\n`
  const framed = Buffer.allocUnsafe(size.length + piece.length + 2)
  framed.write(size, 'latin1')
  framed.set(piece, size.length)
  framed[framed.length - 2] = 0x0d
  framed[framed.length - 1] = 0x0a
  return socket.write(framed)
}
