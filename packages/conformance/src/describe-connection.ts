import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { GatewayError, type FailureCode, type Timeouts } from '@millrace/core'
import { createUpstream } from '@millrace/upstream'
import { expect, test } from 'vitest'
import { WAYS_OUT } from './describe-leaving.ts'
import { readOutcome, type Subject } from './subject.ts'
import type { Fixture } from './fixtures.ts'

/** Short, but long enough for a machine that has other things to do. */
const SHORT_MS = 400
const SHORT: Timeouts = { connect: 20_000, firstByte: SHORT_MS, idle: SHORT_MS, total: 20_000 }
const PATIENT: Timeouts = { connect: 20_000, firstByte: 20_000, idle: 20_000, total: 20_000 }
const MANY_CALLS = 20

interface Server extends AsyncDisposable {
  readonly url: string
  /** Resolves when the first response is cut off, or has come to its end. */
  readonly closed: Promise<void>
}

/** A server on loopback that gives every request to `answer`. */
async function serve(answer: (response: ServerResponse) => void): Promise<Server> {
  const closed = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    response.once('close', closed.resolve)
    request.resume().once('end', () => answer(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    closed: closed.promise,
    async [Symbol.asyncDispose]() {
      const ended = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await ended
    },
  }
}

/** The tests over a real connection: what only sockets and clocks can show. */
export function describeConnection(subject: Subject, fixture: Fixture): void {
  const { bytes, headers } = fixture.response!
  const beginning = bytes.subarray(0, Math.ceil(bytes.length * 0.6))

  function answerWith(part: Buffer): (response: ServerResponse) => void {
    return response => {
      response.writeHead(200, headers).flushHeaders()
      response.write(part)
    }
  }

  test.for(Object.entries(WAYS_OUT))('left in the middle, %s, it closes the connection', async ([, leave]) => {
    await using server = await serve(answerWith(beginning))
    await using upstream = createUpstream()
    const provider = subject.open(upstream, { url: server.url, timeouts: PATIENT })
    expect(await leave(subject.chat(provider, fixture), 1)).toBe(0)
    await server.closed
  })

  test('aborted in the middle, it closes the connection and fails with the reason', async () => {
    await using server = await serve(answerWith(beginning))
    await using upstream = createUpstream()
    const aborting = new AbortController()
    const reason = new GatewayError('gateway_shutdown', 'Enough.')
    const provider = subject.open(upstream, { url: server.url, timeouts: PATIENT })
    const frames = subject.chat(provider, fixture, { signal: aborting.signal })[Symbol.asyncIterator]()
    await frames.next()
    aborting.abort(reason)
    await expect(frames.next()).rejects.toBe(reason)
    await server.closed
  })

  test('whole, it leaves a connection that the next can use', async () => {
    const sockets = new Set<Socket | null>()
    await using server = await serve(response => {
      sockets.add(response.socket)
      response.writeHead(200, headers).end(bytes)
    })
    await using upstream = createUpstream()
    const provider = subject.open(upstream, { url: server.url, timeouts: PATIENT })
    for (let call = 0; call < MANY_CALLS; call++) {
      const { failure } = await readOutcome(subject.chat(provider, fixture))
      expect(failure).toBeUndefined()
    }
    // A connection may come free a moment too late, but not each time.
    expect(sockets.size).toBeLessThan(MANY_CALLS)
  })

  const SILENCES: Readonly<Record<string, [answer: (response: ServerResponse) => void, code: FailureCode]>> = {
    'no answer': [() => {}, 'first_byte_timeout'],
    'headers and no body': [response => response.writeHead(200, headers).flushHeaders(), 'first_byte_timeout'],
    'a beginning and no more': [answerWith(beginning), 'idle_timeout'],
    'a connection that breaks before the answer': [response => response.destroy(), 'connect_failed'],
    'a connection that breaks in the middle': [
      response => {
        response.writeHead(200, headers).flushHeaders()
        response.write(beginning, () => response.destroy())
      },
      'upstream_truncated',
    ],
  }
  test.for(Object.entries(SILENCES))('%s', async ([, [answer, code]]) => {
    await using server = await serve(answer)
    await using upstream = createUpstream()
    const provider = subject.open(upstream, { url: server.url, timeouts: SHORT })
    const { failure } = await readOutcome(subject.chat(provider, fixture))
    expect(failure).toMatchObject({ code })
    await server.closed
  })

  test('no server', async () => {
    const server = await serve(() => {})
    await server[Symbol.asyncDispose]()
    await using upstream = createUpstream()
    const provider = subject.open(upstream, { url: server.url, timeouts: PATIENT })
    const { failure } = await readOutcome(subject.chat(provider, fixture))
    expect(failure).toMatchObject({ code: 'connect_failed' })
  })
}
