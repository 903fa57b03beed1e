// A process of its own: takes requests with node:http, sends them on with node:http, and pipes both bodies.
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerCalls } from '../launch.ts'

const calls = {
  /** Pipes to that port of this machine; returns the port at which it takes requests. */
  async listen(upstreamPort: number): Promise<number> {
    const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity })
    const server = createServer({ noDelay: true }, (incoming, response) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: upstreamPort,
          agent,
          method: incoming.method,
          path: incoming.url,
          headers: incoming.headers,
        },
        answer => {
          response.writeHead(answer.statusCode!, answer.headers)
          answer.pipe(response)
        },
      )
      outgoing.on('error', () => response.destroy())
      response.on('close', () => outgoing.destroy())
      incoming.pipe(outgoing)
    })
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
}

export type RawPipeCalls = typeof calls

answerCalls(calls)
