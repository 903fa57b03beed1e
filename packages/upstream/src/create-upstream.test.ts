import { createServer as createTlsServer } from 'node:tls'
import { GatewayError, type Timeouts, type UpstreamReply } from '@millrace/core'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { createUpstream } from './create-upstream.ts'
import { readAll, toRequest } from './testing/ask.ts'
import { listen, startHttp, startTcp, type LocalServer } from './testing/local-server.ts'
import { createSelfSigned } from './testing/self-signed.ts'

const upstream = createUpstream()
afterAll(() => upstream[Symbol.asyncDispose]())

/** The server, closed behind the test. */
async function during(starting: Promise<LocalServer>): Promise<LocalServer> {
  const server = await starting
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

function ask(
  server: LocalServer,
  ...changes: Parameters<typeof toRequest> extends [URL, ...infer Rest] ? Rest : never
): Promise<UpstreamReply> {
  return upstream.request(toRequest(server.url, ...changes))
}

/** Takes connections, and says nothing. */
async function startSilentTls(): Promise<LocalServer> {
  const server = await during(startTcp(socket => socket.resume()))
  return { ...server, url: new URL(`https://127.0.0.1:${server.port}/`) }
}

/** Begins to answer, and goes no further. */
function startStalled(): Promise<LocalServer> {
  return during(startHttp((_request, response) => void response.write('half')))
}

/** Answers without end. */
function startEndless(): Promise<LocalServer> {
  return during(
    startHttp((_request, response) => {
      const timer = setInterval(() => response.write('more'), 20)
      response.once('close', () => clearInterval(timer))
    }),
  )
}

/** Says all there is to say, and ends the answer so many milliseconds later, or never. */
function startLingering(endsAfterMs: number): Promise<LocalServer> {
  return during(
    startHttp((_request, response) => {
      response.write('all')
      if (endsAfterMs !== Infinity) setTimeout(() => response.end('rest'), endsAfterMs)
    }),
  )
}

const HEAD = 'HTTP/1.1 200 OK\r\n'

/** Answers with these bytes, and closes. */
function startAnswering(bytes: string): Promise<LocalServer> {
  return during(startTcp(socket => socket.once('data', () => socket.end(bytes))))
}

describe('a request', () => {
  test('goes out as given, with a name of ours, and asks for nothing compressed', async () => {
    let seen: unknown
    const server = await during(
      startHttp((request, response) => {
        const pieces: Buffer[] = []
        request.on('data', (piece: Buffer) => pieces.push(piece))
        request.on('end', () => {
          const { 'user-agent': agent, 'accept-encoding': encoding, authorization } = request.headers
          const body = Buffer.concat(pieces).toString()
          seen = { method: request.method, url: request.url, agent, encoding, authorization, body }
          response.setHeader('x-two', ['a', 'b']).end('fine')
        })
      }),
    )
    const headers = { 'content-type': 'application/json', authorization: 'Bearer test-key' }
    const url = new URL('?api-version=1', server.url)
    const reply = await upstream.request(toRequest(url, { headers, body: Buffer.from('{"a":1}') }))
    expect((await readAll(reply.body)).toString()).toBe('fine')
    expect(reply).toMatchObject({ status: 200, headers: { 'x-two': 'a, b' } })
    expect(seen).toEqual({
      method: 'POST',
      url: '/v1/chat/completions?api-version=1',
      agent: 'millrace',
      encoding: 'identity',
      authorization: 'Bearer test-key',
      body: '{"a":1}',
    })
  })

  test('is answered whatever the status, and no redirect is followed', async () => {
    const server = await during(
      startHttp((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end('moved')),
    )
    const reply = await ask(server)
    expect(reply).toMatchObject({ status: 307, headers: { location: '/elsewhere' } })
    expect((await readAll(reply.body)).toString()).toBe('moved')
    expect(server.connections).toBe(1)
  })

  test('interim answers are passed over', async () => {
    const server = await during(
      startHttp((_request, response) => {
        response.writeEarlyHints({ link: '</a>; rel=preload' })
        response.end('later')
      }),
    )
    expect((await readAll((await ask(server)).body)).toString()).toBe('later')
  })
})

describe('each clock has its own code', () => {
  test.each<[code: string, start: () => Promise<LocalServer>, limits: Partial<Timeouts>]>([
    ['connect_timeout', startSilentTls, { connect: 100 }],
    ['first_byte_timeout', () => during(startHttp(() => undefined)), { firstByte: 100 }],
    // Headers are no beginning of an answer yet.
    [
      'first_byte_timeout',
      () => during(startHttp((_request, response) => response.flushHeaders())),
      { firstByte: 100 },
    ],
    ['idle_timeout', startStalled, { idle: 100 }],
    ['total_timeout', startEndless, { total: 200 }],
    ['total_timeout', () => during(startHttp(() => undefined)), { total: 100 }],
  ])('%s (%#)', async (code, start, limits) => {
    const server = await start()
    const began = performance.now()
    const asked = upstream.request(toRequest(server.url, { limits })).then(reply => readAll(reply.body))
    await expect(asked).rejects.toMatchObject({ code })
    expect(performance.now() - began).toBeGreaterThanOrEqual(limits.total ?? 100)
    await server.whenOpen(0)
  })

  test('a trickle keeps the clocks of silence from running out', async () => {
    const server = await during(
      startHttp((_request, response) => {
        let left = 8
        const timer = setInterval(() => (left-- > 0 ? response.write('x') : response.end()), 60)
        response.once('close', () => clearInterval(timer))
      }),
    )
    const reply = await ask(server, { limits: { firstByte: 250, idle: 250 } })
    expect((await readAll(reply.body)).toString()).toBe('xxxxxxxx')
  })

  test('none runs while it is the reader that is slow', async () => {
    const size = 8 * 1024 * 1024
    const server = await during(startHttp((_request, response) => response.end(Buffer.alloc(size, 'x'))))
    const { body } = await ask(server, { limits: { firstByte: 150, idle: 150 } })
    let read = 0
    for await (const piece of body) {
      // Longer than any silence may be, and the upstream is not silent at all.
      if (read === 0) await new Promise(resolve => setTimeout(resolve, 600))
      read += piece.length
    }
    expect(read).toBe(size)
  })
})

describe('leaving', () => {
  test('by the signal, while waiting for the answer', async () => {
    const server = await during(startHttp(() => undefined))
    const leave = new AbortController()
    const asked = ask(server, { signal: leave.signal })
    await server.whenOpen(1)
    leave.abort(new GatewayError('gateway_shutdown', 'Good night.'))
    await expect(asked).rejects.toMatchObject({ code: 'gateway_shutdown', message: 'Good night.' })
    await server.whenOpen(0)
  })

  test('by the signal, in the middle of the body', async () => {
    const server = await startStalled()
    const leave = new AbortController()
    const { body } = await ask(server, { signal: leave.signal })
    const pieces: string[] = []
    const reading = (async () => {
      for await (const piece of body) {
        pieces.push(piece.toString())
        leave.abort(new GatewayError('aborted', 'Gone.'))
      }
    })()
    await expect(reading).rejects.toMatchObject({ code: 'aborted' })
    expect(pieces).toEqual(['half'])
    await server.whenOpen(0)
  })

  test('by the signal, before anything began', async () => {
    const server = await startStalled()
    const signal = AbortSignal.abort('no reason of ours')
    await expect(ask(server, { signal })).rejects.toMatchObject({ code: 'aborted' })
    expect(server.connections).toBe(0)
  })

  test('by leaving the loop', async () => {
    const server = await startStalled()
    for await (const piece of (await ask(server)).body) {
      expect(piece.toString()).toBe('half')
      break
    }
    await server.whenOpen(0)
  })

  test('by the signal, while connecting', async () => {
    const server = await startSilentTls()
    const leave = new AbortController()
    const asked = ask(server, { signal: leave.signal, limits: { connect: 500 } })
    await server.whenOpen(1)
    leave.abort(new GatewayError('aborted', 'Gone.'))
    await expect(asked).rejects.toMatchObject({ code: 'aborted' })
    // The attempt itself ends when it would have ended anyway.
    await server.whenOpen(0)
  })
})

describe('connections', () => {
  test('one is used again when the answer came to its end', async () => {
    const server = await during(startHttp((_request, response) => response.end('fine')))
    for (let turn = 0; turn < 9; turn++) await readAll((await ask(server)).body)
    // A request that follows at once may find the first one not quite free yet.
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  test('many answers at once have one each', async () => {
    const server = await during(startHttp((_request, response) => void response.write('half')))
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask(server)))
    expect(server.open).toBe(20)
    for (const { body } of replies) for await (const _piece of body) break
    await server.whenOpen(0)
  })

  test('one is used again when the formal end came soon enough behind the last word', async () => {
    const server = await startLingering(30)
    for (let turn = 0; turn < 3; turn++) {
      const { body } = await ask(server)
      for await (const piece of body) {
        expect(piece.toString()).toBe('all')
        body.endWithin(5000)
        break
      }
      // Whether it has come free is known only when the next request is there.
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(server.connections).toBe(1)
  })

  test('one is closed when no end comes', async () => {
    const server = await startLingering(Infinity)
    const { body } = await ask(server)
    for await (const _piece of body) {
      body.endWithin(60)
      break
    }
    expect(server.open).toBe(1)
    await server.whenOpen(0)
  })

  test('silence is the good end for whoever goes on reading', async () => {
    const server = await startLingering(Infinity)
    const { body } = await ask(server, { limits: { idle: 10_000 } })
    const pieces: string[] = []
    for await (const piece of body) {
      pieces.push(piece.toString())
      body.endWithin(60)
    }
    expect(pieces).toEqual(['all'])
    await server.whenOpen(0)
  })
})

describe('trust', () => {
  test.each(['localhost', '127.0.0.1'])('a certificate that nobody vouches for: no key is sent (%s)', async host => {
    const received: Buffer[] = []
    const tls = createTlsServer(createSelfSigned(), socket =>
      socket.on('data', (piece: Buffer) => received.push(piece)),
    )
    const server = await during(listen(tls, 'https'))
    const url = new URL(`https://${host}:${server.port}/v1`)
    const asked = upstream.request(toRequest(url, { headers: { authorization: 'Bearer test-key' } }))
    await expect(asked).rejects.toMatchObject({
      code: 'tls_error',
      message: expect.stringMatching(/^No trusted connection to the upstream \(\w+\)\.$/),
    })
    expect(received).toEqual([])
    await server.whenOpen(0)
  })

  test('no TLS at all: no key is sent', async () => {
    const received: Buffer[] = []
    const server = await during(
      startTcp(socket => {
        socket.on('data', (piece: Buffer) => received.push(piece))
        socket.write('220 mail.example\r\n')
      }),
    )
    const url = new URL(`https://127.0.0.1:${server.port}/v1`)
    const asked = upstream.request(toRequest(url, { headers: { authorization: 'Bearer test-key' } }))
    await expect(asked).rejects.toMatchObject({ code: 'tls_error' })
    expect(Buffer.concat(received).toString('latin1')).not.toContain('test-key')
  })

  test('a handshake that is cut', async () => {
    const server = await during(startTcp(socket => socket.once('data', () => socket.end())))
    const asked = upstream.request(toRequest(new URL(`https://127.0.0.1:${server.port}/v1`)))
    await expect(asked).rejects.toMatchObject({ code: 'connect_failed' })
  })
})

describe('what is no answer', () => {
  test.each<[code: string, bytes: string]>([
    ['connect_failed', ''],
    ['connect_failed', HEAD],
    ['upstream_bad_response', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['upstream_bad_response', `${HEAD}content-length: many\r\n\r\n{}`],
    ['upstream_bad_response', `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    ['upstream_bad_response', `${HEAD}x-folded: a\r\n b\r\n\r\n`],
    ['upstream_bad_response', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`],
    ['upstream_bad_response', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
    ['upstream_bad_response', `${HEAD}x-long: ${'x'.repeat(1024 * 1024)}\r\n\r\n`],
    ['upstream_truncated', `${HEAD}content-length: 10\r\n\r\n{}`],
    ['upstream_truncated', `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`],
  ])('%s (%#)', async (code, bytes) => {
    const server = await startAnswering(bytes)
    await expect(ask(server).then(reply => readAll(reply.body))).rejects.toMatchObject({ code })
  })

  test('a reset in the middle', async () => {
    const server = await during(
      startTcp(socket =>
        socket.once('data', () =>
          socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`, () => socket.resetAndDestroy()),
        ),
      ),
    )
    const reading = ask(server).then(reply => readAll(reply.body))
    await expect(reading).rejects.toMatchObject({ code: 'upstream_truncated' })
  })

  test('nobody there, and no such name', async () => {
    const server = await startTcp(() => undefined)
    await server[Symbol.asyncDispose]()
    await expect(ask(server)).rejects.toMatchObject({ code: 'connect_failed' })
    const nowhere = new URL(`http://${'nowhere'.repeat(10)}.localhost/`)
    await expect(upstream.request(toRequest(nowhere))).rejects.toMatchObject({ code: 'connect_failed' })
  })
})

test('what is left open is closed with it', async () => {
  const owned = createUpstream()
  const server = await during(startHttp((_request, response) => void response.write('half')))
  const { body } = await owned.request(toRequest(server.url))
  const reading = readAll(body)
  await owned[Symbol.asyncDispose]()
  await expect(reading).rejects.toBeInstanceOf(GatewayError)
  await server.whenOpen(0)
})

test('a server that asks for the connection to be closed gets it', async () => {
  const server = await during(
    startHttp((_request, response) => response.writeHead(200, { connection: 'close' }).end('fine')),
  )
  for (let turn = 0; turn < 2; turn++) await readAll((await ask(server)).body)
  expect(server.connections).toBe(2)
  await server.whenOpen(0)
})
