import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface LocalServer extends AsyncDisposable {
  readonly port: number
  readonly url: URL
  /** How many connections came so far. */
  readonly connections: number
  /** How many of them are open. */
  readonly open: number
  /** Resolves when no connection is open, or as many as said. */
  whenOpen(count: number): Promise<void>
}

/** An HTTP server on loopback. */
export function startHttp(listener: RequestListener): Promise<LocalServer> {
  return listen(createHttpServer({ keepAliveTimeout: 60_000 }, listener))
}

/** A server without any protocol on loopback. */
export function startTcp(serve: (socket: Socket) => void): Promise<LocalServer> {
  return listen(createTcpServer(serve))
}

/** Any server, on a free port of loopback; it is closed with all its connections. */
export async function listen(server: Server, protocol = 'http'): Promise<LocalServer> {
  const sockets = new Set<Socket>()
  const waiting = new Set<() => void>()
  let connections = 0
  server.on('connection', socket => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      for (const check of waiting) check()
    })
    for (const check of waiting) check()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: new URL(`${protocol}://127.0.0.1:${port}/v1/chat/completions`),
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    whenOpen: count =>
      new Promise(resolve => {
        const check = (): void => {
          if (sockets.size !== count) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
