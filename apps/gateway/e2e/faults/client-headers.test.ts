import { request as httpRequest } from 'node:http'
import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { startGateway } from '../start-gateway.ts'
import { expectStream } from './expectations.ts'
import { AUTH, JSON_TYPE, sayRaw, toChatBody, toRequest } from './raw-client.ts'
import { KEY, startBench, UPSTREAM_KEY } from './start-bench.ts'

const bench = await startBench()
const { gateway, simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(() => bench.end())

const BODY = toChatBody('sim/text')

/** The only headers that go to an upstream. */
const ALLOWED = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
])

/** Asks with these headers, and returns what the upstream got. */
async function upstreamHeaders(headers: string): Promise<Readonly<Record<string, unknown>>> {
  const said = toRequest('POST /v1/chat/completions', AUTH + JSON_TYPE + headers, BODY)
  expect(await sayRaw(gateway.origin, said)).toMatchObject([{ status: 200, whole: true }])
  return simulator.stats.lastRequest!.headers
}

describe('C9: headers', () => {
  test('none of the client goes up', async () => {
    const headers = await upstreamHeaders(
      [
        'cookie: session=client',
        'x-forwarded-for: 10.0.0.1',
        'x-forwarded-host: evil.example',
        'forwarded: for=10.0.0.1',
        'x-request-id: of-the-client',
        'idempotency-key: of-the-client',
        'openai-organization: of-the-client',
        'x-stainless-lang: js',
        'x_under_score: client',
        'te: trailers',
        'proxy-authorization: Basic client',
        'accept-encoding: gzip',
        'user-agent: client/1.0',
        'origin: https://client.example',
        'x-latin: caf\u00e9',
        `x-api-key: ${KEY}`,
        '',
      ].join('\r\n'),
    )
    expect(Object.keys(headers).filter(name => !ALLOWED.has(name))).toEqual([])
    expect(headers['authorization']).toBe(`Bearer ${UPSTREAM_KEY}`)
    expect(JSON.stringify(headers)).not.toMatch(/client|10\.0\.0\.1|evil|gzip/)
    expect(JSON.stringify(headers)).not.toContain(KEY)
  })

  test("a request id of the client's is not taken over", async () => {
    const answer = await bench.ask('sim/text', { headers: { 'x-request-id': 'of-the-client' } })
    expectStream(answer, answerText())
    expect(answer.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
  })

  test('line ends in members stay where they are', async () => {
    const evil = 'a\r\nx-evil: 1\r\n\r\nGET / HTTP/1.1\r\n\u2028\u0085'
    const answer = await bench.ask('sim/text', { members: { user: evil, metadata: { [evil]: evil } } })
    expectStream(answer, answerText())
    expect(JSON.parse(simulator.stats.lastRequest!.body)).toMatchObject({ user: evil, metadata: { [evil]: evil } })
    expect(simulator.stats.lastRequest!.headers).not.toHaveProperty('x-evil')
    const unknown = await bench.ask(`nobody/${evil}`)
    expect(unknown.status).toBe(404)
    expect(unknown.headers).not.toHaveProperty('x-evil')
    // A line of the log that was split would not be JSON, and this file would have ended there.
    expect(await bench.ask(`sim/text?prompt=1&size=2${evil}`)).toMatchObject({ status: 400 })
  })
})

function from(origin: string): string {
  return `origin: ${origin}\r\n`
}

describe('pages in browsers', () => {
  const PREFLIGHT =
    'access-control-request-method: POST\r\naccess-control-request-headers: authorization,content-type,x-stainless-lang\r\n'
  test('any may ask a gateway that wants keys', async () => {
    const [preflight] = await sayRaw(
      gateway.origin,
      toRequest('OPTIONS /v1/chat/completions', from('https://page.example') + PREFLIGHT),
    )
    expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': '*' } })
    expect(preflight!.headers['access-control-allow-methods']).toContain('POST')
    expect(preflight!.headers['access-control-allow-headers']).toContain('x-stainless-lang')
    expect(preflight!.headers).not.toHaveProperty('access-control-allow-credentials')
    const said = toRequest('POST /v1/chat/completions', from('https://page.example') + AUTH + JSON_TYPE, BODY)
    const [answer] = await sayRaw(gateway.origin, said)
    expect(answer!.headers['access-control-allow-origin']).toBe('*')
    expect(answer!.headers['access-control-expose-headers']).toMatch(/x-request-id/)
    const [refused] = await sayRaw(gateway.origin, toRequest('GET /v1/models', from('https://page.example')))
    expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': '*' } })
  })

  test('only those of this machine may ask an open one', async () => {
    await using open = await startGateway({ auth: { keys: [] } })
    for (const [origin, allowed] of [
      ['http://localhost:3000', true],
      ['http://127.0.0.1:8080', true],
      ['http://[::1]:5173', true],
      ['https://page.example', false],
      ['http://localhost.page.example', false],
      ['http://127.0.0.1.page.example:80', false],
      ['null', false],
    ] as const) {
      for (const said of [
        toRequest('OPTIONS /v1/chat/completions', from(origin) + PREFLIGHT),
        toRequest('GET /v1/models', from(origin)),
      ]) {
        const [answer] = await sayRaw(open.origin, said)
        expect([origin, answer!.headers['access-control-allow-origin']]).toEqual([origin, allowed ? origin : undefined])
      }
    }
  })
})

describe('what every answer carries', () => {
  test('a stream', async () => {
    const { headers } = await bench.ask('sim/text')
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
    expect(headers).not.toHaveProperty('x-powered-by')
  })

  test('a whole answer, a list, and HEAD of it', async () => {
    const whole = await bench.ask('sim/text', { stream: false })
    const [list] = await sayRaw(gateway.origin, toRequest('GET /v1/models', AUTH))
    for (const headers of [whole.headers, list!.headers]) {
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
    }
    const head = httpRequest(`${gateway.baseUrl}/models`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${KEY}` },
    })
    head.end()
    const status = await new Promise(resolve => head.once('response', ({ statusCode }) => resolve(statusCode)))
    expect(status).toBe(200)
  })
})
