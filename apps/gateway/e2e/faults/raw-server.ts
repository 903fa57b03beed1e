import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

export interface RawServer extends AsyncDisposable {
  readonly port: number
  /** How many connections came. */
  readonly connections: number
  /** How many of them are open. */
  readonly open: number
  /** Bytes that the system took of what was said, on all connections. */
  readonly written: number
  /** All bytes that came, on whichever connection. */
  readonly received: Buffer
}

/** A server without any protocol, for what no HTTP server would say: each connection is given to `serve`. */
export async function startRawServer(serve: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const pieces: Buffer[] = []
  let connections = 0
  let written = 0
  const server = createServer(socket => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      written += socket.bytesWritten
    })
    socket.on('data', (piece: Buffer) => pieces.push(piece))
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    get written() {
      return written + [...sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0)
    },
    get received() {
      return Buffer.concat(pieces)
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Serves every request on the connection with the same bytes, whatever it asks; the bytes say whether more may come. */
export function answering(bytes: string | Buffer): (socket: Socket) => void {
  return socket => socket.once('data', () => socket.end(bytes))
}

/** Answers each request with a stream that goes on as fast as it is read, in events of `text` each. */
export function flooding(text: string): (socket: Socket) => void {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
  const event = Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`)
  return socket => {
    const flood = (): void => {
      while (!socket.destroyed && socket.write(event));
    }
    socket.on('drain', flood)
    socket.once('data', () => {
      socket.write(head)
      flood()
    })
  }
}

/** A port on which nobody listens. */
export async function findClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
