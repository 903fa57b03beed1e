import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createHandler } from './handler.ts'
import { findScenario } from './scenarios.ts'
import { createStats } from './stats.ts'
import type { Stats } from './stats.ts'

export interface SimulatorOptions {
  /** 127.0.0.1 where not given. */
  readonly host?: string | undefined
  /** Where not given, or 0, one that is free. */
  readonly port?: number | undefined
  /** Where given, requests need it as `Authorization: Bearer …`; those for the numbers do not. */
  readonly apiKey?: string | undefined
  /** What a model gets whose name is no scenario, options included; `text` where not given. */
  readonly defaultScenario?: string | undefined
  /** Told about each answer that has ended, in one line. */
  readonly log?: ((line: string) => void) | undefined
}

export interface Simulator extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string
  readonly port: number
  /** Always up to date. */
  readonly stats: Stats
  /** Resolves when the predicate holds; it is asked whenever a number changes. Rejects when the simulator closes first. */
  when(predicate: (stats: Stats) => boolean): Promise<void>
  /** Closes every connection, whatever happens on it, and resolves when none is left. */
  close(): Promise<void>
}

/** Longer than clients keep an idle connection, so that none is closed just as a request comes in. */
const KEEP_ALIVE_MS = 120_000
/** As many as may connect at once; the system may hold fewer. */
const BACKLOG = 4096

/**
 * Starts the simulator, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` has an option that it cannot have
 * @throws {Error} there is no such scenario, or the port cannot be had
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, apiKey, defaultScenario, log } = options
  findScenario('', defaultScenario)
  const recorder = createStats()
  const sockets = new Set<Socket>()
  const server = createServer(
    { noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS },
    createHandler({ recorder, apiKey, defaultScenario, log }),
  )
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
  const close = (): Promise<void> => (closing ??= shut())

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/v1`,
    port: address.port,
    stats: recorder.stats,
    when: recorder.when,
    close,
    [Symbol.asyncDispose]: close,
  }
}
