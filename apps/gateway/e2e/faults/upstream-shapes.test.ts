import { answerText } from '@millrace/simulator'
import { afterAll, describe, expect, test } from 'vitest'
import type { Answer } from './chat-client.ts'
import { expectBroken, expectGood, expectRefusal } from './expectations.ts'
import { measureGrowth } from './process-numbers.ts'
import { answering, startRawServer } from './raw-server.ts'
import { CLOCKS, startBench } from './start-bench.ts'

const elsewhere = await startRawServer(answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'))

/** Upstreams that answer each request with these bytes, and close. */
const RAW = {
  'no-http': 'SSH-2.0-OpenSSH_9.9\r\n',
  'bad-length': 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}',
  'two-lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
  'bad-chunk': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
  'split-header': 'HTTP/1.1 200 OK\r\nx-a: b\n c\r\ncontent-length: 0\r\n\r\n',
  'only-headers': 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n',
  upgrade: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
} as const
const servers = await Promise.all(Object.values(RAW).map(bytes => startRawServer(answering(bytes))))
const names = Object.keys(RAW)

const bench = await startBench({
  providers: Object.fromEntries(
    servers.map(({ port }, at) => [
      names[at],
      { kind: 'openai', baseUrl: `http://127.0.0.1:${port}/v1`, models: ['text'], timeouts: CLOCKS },
    ]),
  ),
})
afterAll(async () => {
  await bench.end()
  await Promise.all([elsewhere, ...servers].map(server => server[Symbol.asyncDispose]()))
})

describe.concurrent.each([true, false])('U12: another kind of answer than was asked for (stream: %s)', stream => {
  test.each([
    'json',
    'sse',
    'json?type=text/plain',
    'sse?type=text/plain',
    'sse?type=application/json',
    'json?type=text/event-stream',
    'sse?type=application/octet-stream',
    'ndjson',
    'whole-message',
    'gzip',
    'gzip?as=json',
  ])('%s', async scenario => {
    expectGood(await bench.ask(`sim/${scenario}`, { stream }), stream, answerText())
  })
})

describe.concurrent.each([true, false])('U13: what is no answer (stream: %s)', stream => {
  test.each([
    ['html', 502, 'upstream_error'],
    ['html?status=200', 502, 'upstream_bad_response'],
    ['html?status=404', 502, 'upstream_bad_response'],
    ['empty', 502, 'upstream_bad_response'],
    ['empty?status=204', 502, 'upstream_bad_response'],
    ['truncated-json', 502, 'upstream_truncated'],
    ['gzip?layers=6', 502, 'upstream_bad_response'],
  ] as const)('%s', async (scenario, status, code) => {
    const { message } = expectRefusal(await bench.ask(`sim/${scenario}`, { stream }), status, code)
    expect(message).not.toMatch(/markup|proxy\.internal|center/)
  })

  test.each([301, 302, 303, 307, 308])('%d: the redirect is not followed', async status => {
    const to = encodeURIComponent(`http://127.0.0.1:${elsewhere.port}/latest/meta-data/`)
    const answer = await bench.ask(`sim/redirect?status=${status}&to=${to}`, { stream })
    expectRefusal(answer, 502, 'upstream_bad_response')
    expect(answer.headers.location).toBeUndefined()
    expect(elsewhere.connections).toBe(0)
  })

  test.each([
    ['no-http', 'upstream_bad_response'],
    ['bad-length', 'upstream_bad_response'],
    ['two-lengths', 'upstream_bad_response'],
    ['bad-chunk', 'upstream_bad_response'],
    ['split-header', 'upstream_bad_response'],
    ['only-headers', 'upstream_truncated'],
    ['upgrade', 'upstream_bad_response'],
  ] as const)('%s', async (name, code) => {
    expectRefusal(await bench.ask(`${name}/text`, { stream }), 502, code)
  })
})

describe('U27: compressed', () => {
  test(
    'a quarter of a gigabyte in a quarter of a megabyte is read through and not held',
    { timeout: 60_000 },
    async () => {
      const growth = await measureGrowth(bench.gateway.pid, async () => {
        expectGood(await bench.ask('sim/gzip?bomb=268435456'), true, answerText())
      })
      expect(growth).toBeLessThan(96 * 1024 * 1024)
    },
  )
})

describe('S9: hostile words in an error', () => {
  test.each(['html', 'escapes', 'long', 'key', 'prompt', 'all'])('%s', async kind => {
    const words = [
      expectRefusal(await bench.ask(`sim/evil-text?kind=${kind}`), 400, 'upstream_rejected'),
      expectRefusal(await bench.ask(`sim/evil-text?kind=${kind}`, { stream: false }), 400, 'upstream_rejected'),
      expectBroken(await bench.ask(`sim/evil-text?kind=${kind}&where=stream`), 'upstream_rejected').error,
    ]
    for (const { message } of words) expect(message).not.toMatch(/sk-simulated|simulated-bearer|onerror|https:\/\/evil/)
  })

  test('they are kept out of the log too', () => {
    const log = JSON.stringify(bench.gateway.log)
    expect(log).toContain('evil-text')
    expect(log).not.toMatch(/sk-simulated|simulated-bearer|\\u001b|onerror/)
  })
})

describe('S10: headers of the upstream', () => {
  const OURS = [
    'access-control-allow-origin',
    'access-control-expose-headers',
    'cache-control',
    'connection',
    'content-length',
    'content-type',
    'date',
    'keep-alive',
    'transfer-encoding',
    'vary',
    'x-accel-buffering',
    'x-content-type-options',
    'request-id',
    'x-request-id',
    'x-should-retry',
  ]

  function expectOurs({ headers }: Answer, ...more: string[]): void {
    for (const [name, value] of Object.entries(headers)) {
      expect([...OURS, ...more]).toContain(name)
      expect(String(value)).not.toMatch(/simulated|evil|internal/)
    }
  }

  test.each([true, false])('none reaches the client (stream: %s)', async stream => {
    const answer = await bench.ask('sim/evil-headers', { stream })
    expectGood(answer, stream, answerText())
    expectOurs(answer)
    expectOurs(await bench.ask('sim/error?status=429&retryAfterMs=5', { stream }), 'retry-after')
  })

  test('a megabyte of them is no answer', async () => {
    const answer = await bench.ask('sim/evil-headers?bytes=1048576&count=100')
    expectRefusal(answer, 502, 'upstream_bad_response')
    expectOurs(answer)
  })
})
