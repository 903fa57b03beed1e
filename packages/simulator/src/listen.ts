import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { StatsRecorder } from './stats.ts'

export interface Listening {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly port: number
  /** Closes every connection, whatever happens on it, and resolves when none is left. */
  close(): Promise<void>
}

/** Longer than clients keep an idle connection, so that none is closed just as a request comes in. */
const KEEP_ALIVE_MS = 120_000
/** As many as may connect at once; the system may hold fewer. */
const BACKLOG = 4096

/**
 * Serves on the port, or on one that is free where it is 0, and counts the sockets.
 * @throws {Error} the port cannot be had
 */
export async function listen(
  answer: RequestListener,
  { host = '127.0.0.1', port = 0 }: { readonly host?: string | undefined; readonly port?: number | undefined },
  recorder: StatsRecorder,
): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, answer)
  server.on('connection', socket => {
    sockets.add(socket)
    recorder.record.socket(1)
    socket.once('close', () => {
      sockets.delete(socket)
      recorder.record.socket(-1)
    })
  })
  server.listen({ host, port, backlog: BACKLOG })
  await once(server, 'listening')
  const address = server.address() as AddressInfo

  async function shut(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
    await recorder.when(stats => stats.socketsOpen === 0) // the server is closed before its sockets have said so
    recorder.close()
  }

  let closing: Promise<void> | undefined
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    close: () => (closing ??= shut()),
  }
}
