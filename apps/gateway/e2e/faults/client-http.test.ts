import { answerText } from '@millrace/simulator'
import type { FailureCode } from '@millrace/core'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Answer } from './chat-client.ts'
import { parseClientStream } from './client-stream.ts'
import { expectEnvelope } from './expectations.ts'
import {
  AUTH,
  connectRaw,
  contentOf,
  JSON_TYPE,
  parseAnswers,
  sayRaw,
  toChatBody,
  toRawRequest,
  toRequest,
  type RawAnswer,
} from './raw-client.ts'
import { KEY, startBench, UPSTREAM_KEY, within } from './start-bench.ts'

const bench = await startBench()
const { gateway, simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(() => bench.end())

const BODY = toChatBody('sim/text')

function toAnswer({ status, headers, body, whole }: RawAnswer): Answer {
  return { status, headers, text: body, ended: whole, headersMs: 0, totalMs: 0 }
}

/** Says it, and checks that it is refused once, in the envelope, with all that every answer carries. */
async function expectRefused(said: string | Buffer, status: number, code: FailureCode): Promise<RawAnswer> {
  const answers = await sayRaw(gateway.origin, said)
  expect(answers).toHaveLength(1)
  const [answer] = answers as [RawAnswer]
  expectEnvelope(toAnswer(answer), status, code)
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  expect(answer.headers['x-should-retry']).toBe('false')
  expect(await gateway.access(answer.headers['x-request-id']!)).toMatchObject({ status, ending: code })
  return answer
}

describe('what is refused by its first lines', () => {
  test.each<[name: string, said: string, status: number, code: FailureCode]>([
    ['an unknown path', toRequest('GET /v1/nothing', AUTH), 404, 'unknown_url'],
    ['a path that escapes', toRequest('GET /v1/../../etc/passwd', AUTH), 404, 'unknown_url'],
    ['a path in bad escapes', toRequest('GET /v1/%zz/%ff', AUTH), 404, 'unknown_url'],
    ['a model in bad escapes', toRequest('GET /v1/models/%zz', AUTH), 404, 'model_not_found'],
    ['a model with a long name', toRequest(`GET /v1/models/${'m'.repeat(4000)}`, AUTH), 404, 'model_not_found'],
    [
      'a deployment with a long name',
      toRequest(`POST /openai/deployments/${'m'.repeat(4000)}/chat/completions`, AUTH + JSON_TYPE, BODY),
      400,
      'invalid_value',
    ],
    ['no host', 'GET /v1/models HTTP/1.1\r\n\r\n', 400, 'bad_request'],
    ['the admin API', toRequest('GET /admin/keys', AUTH), 404, 'unknown_url'],
    ['PUT', toRequest('PUT /v1/chat/completions', AUTH + JSON_TYPE, BODY), 405, 'method_not_allowed'],
    ['GET of what is posted', toRequest('GET /v1/chat/completions', AUTH), 405, 'method_not_allowed'],
    ['POST of what is got', toRequest('POST /v1/models', AUTH + JSON_TYPE, '{}'), 405, 'method_not_allowed'],
    ['DELETE', toRequest('DELETE /v1/models', AUTH), 405, 'method_not_allowed'],
    ['TRACE', toRequest('TRACE /v1/models', AUTH), 405, 'method_not_allowed'],
    ['a long URL', toRequest(`GET /v1/models?${'q'.repeat(8192)}`, AUTH), 414, 'uri_too_long'],
    ['no type', toRequest('POST /v1/chat/completions', AUTH, BODY), 415, 'unsupported_media_type'],
    ...[
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      'application/jsonp',
      'multipart/form-data; boundary=x',
    ].map((type): [string, string, number, FailureCode] => [
      `the type ${type}`,
      toRequest('POST /v1/chat/completions', `${AUTH}content-type: ${type}\r\n`, BODY),
      415,
      'unsupported_media_type',
    ]),
    [
      'a compressed body',
      toRequest('POST /v1/chat/completions', `${AUTH}${JSON_TYPE}content-encoding: gzip\r\n`, BODY),
      415,
      'unsupported_media_type',
    ],
    [
      'an expectation',
      toRequest('POST /v1/chat/completions', `${AUTH}${JSON_TYPE}expect: 200-maybe\r\n`, BODY),
      417,
      'expectation_failed',
    ],
    [
      '101 headers',
      toRequest('GET /v1/models', AUTH + Array.from({ length: 98 }, (_, at) => `x-${at}: 1\r\n`).join('')),
      431,
      'headers_too_large',
    ],
    [
      '200 headers',
      toRequest('GET /v1/models', AUTH + Array.from({ length: 200 }, (_, at) => `x-${at}: 1\r\n`).join('')),
      431,
      'headers_too_large',
    ],
    [
      'a header of 17 KiB',
      toRequest('GET /v1/models', `${AUTH}x-long: ${'x'.repeat(17 * 1024)}\r\n`),
      431,
      'headers_too_large',
    ],
    [
      'a header of 100 KiB',
      toRequest('GET /v1/models', `${AUTH}x-long: ${'x'.repeat(100 * 1024)}\r\n`),
      431,
      'headers_too_large',
    ],
  ])('%s', async (_name, said, status, code) => {
    await expectRefused(said, status, code)
  })

  test('405 says what there is', async () => {
    for (const [line, allow] of [
      ['PUT /v1/chat/completions', 'POST'],
      ['DELETE /v1/models', 'GET, HEAD'],
      ['PATCH /livez', 'GET, HEAD'],
    ] as const) {
      const answer = await expectRefused(toRequest(line, AUTH), 405, 'method_not_allowed')
      expect(answer.headers['allow']).toBe(allow)
    }
  })

  test('100-continue is met', async () => {
    const said = toRequest('POST /v1/chat/completions', `${AUTH}${JSON_TYPE}expect: 100-continue\r\n`, BODY)
    const { socket, closed } = connectRaw(gateway.origin)
    socket.write(said)
    const received = await closed
    expect(received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
  })

  test.each<[name: string, said: string]>([
    ['no HTTP', 'HELO gateway\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\u00a1\u0003\u0003'],
    ['two lengths', toRequest('POST /v1/chat/completions', `${AUTH}${JSON_TYPE}content-length: 3\r\n`, BODY)],
    [
      'length and chunks',
      toRequest('POST /v1/chat/completions', `${AUTH}${JSON_TYPE}transfer-encoding: chunked\r\n`, BODY),
    ],
    [
      'chunks in a way of their own',
      toRequest('POST /v1/chat/completions', `${AUTH}${JSON_TYPE}transfer-encoding: xchunked\r\n`),
    ],
    ['a folded header', toRequest('GET /v1/models', `${AUTH}x-a: 1\r\n 2\r\n`)],
    ['a space before the colon', toRequest('GET /v1/models', `${AUTH}x-a : 1\r\n`)],
    ['NUL in a header', toRequest('GET /v1/models', `${AUTH}x-a: 1\u00002\r\n`)],
    ['a bare CR in a header', toRequest('GET /v1/models', `${AUTH}x-a: 1\r2\r\n`)],
    ['bare line feeds', toRequest('GET /v1/models', AUTH).replaceAll('\r\n', '\n')],
    ['a negative length', toRequest('POST /v1/models', `${AUTH}content-length: -1\r\n`)],
    ['a space in the path', toRequest('GET /v1/mod els', AUTH)],
  ])('%s: 400, and the connection is over', async (_name, said) => {
    const { requests } = simulator.stats
    // Another request behind it must not be taken for one.
    const smuggled = toRawRequest(toChatBody('sim/text?words=1'))
    const [answer, ...more] = await sayRaw(gateway.origin, said, smuggled)
    expect(more).toEqual([])
    expectEnvelope(toAnswer(answer!), 400, 'bad_request')
    expect(answer!.headers['connection']).toBe('close')
    expect(await gateway.access(answer!.headers['x-request-id']!)).toMatchObject({ status: 400, ending: 'bad_request' })
    expect(simulator.stats.requests).toBe(requests)
  })

  test('a refused connection is not kept open for a client that does nothing', async () => {
    const { socket, until } = connectRaw(gateway.origin)
    socket.removeAllListeners('end')
    socket.write('HELO gateway\r\n\r\n')
    await until(received => received.includes('bad_request'))
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    // The gateway lets go of it; what is written then is answered with a reset.
    const timer = setInterval(() => socket.write('x'), 100)
    await expect(
      within(5000, closed, () => 'It stays open.').finally(() => clearInterval(timer)),
    ).resolves.toBeUndefined()
  })
})

describe('keys', () => {
  test.each([
    ['none', ''],
    ['another', 'authorization: Bearer test-key-of-nobody\r\n'],
    ['the one of the upstream', `authorization: Bearer ${UPSTREAM_KEY}\r\n`],
    ['no bearer', `authorization: Basic ${KEY}\r\n`],
    ['an empty one', 'authorization: Bearer \r\n'],
    ['half of it', `authorization: Bearer ${KEY.slice(0, 10)}\r\n`],
  ])('%s: 401, before the body is read', async (_name, header) => {
    // The body is promised and never sent.
    const head = toRequest('POST /v1/chat/completions', `${header}${JSON_TYPE}content-length: 5000\r\n`)
    const answer = await expectRefused(head, 401, 'invalid_api_key')
    expect(answer.headers['connection']).toBe('close')
    expect(answer.body).not.toContain(KEY)
  })

  test('are wanted for lists too, and not for health', async () => {
    await expectRefused(toRequest('GET /v1/models'), 401, 'invalid_api_key')
    for (const path of ['/livez', '/readyz', '/health', '/']) {
      expect(await sayRaw(gateway.origin, toRequest(`GET ${path}`))).toMatchObject([{ status: 200 }])
    }
  })

  test.each([`x-api-key: ${KEY}\r\n`, `api-key: ${KEY}\r\n`, `authorization: bearer   ${KEY}\r\n`])(
    '%s',
    async header => {
      const [answer] = await sayRaw(gateway.origin, toRequest('POST /v1/chat/completions', header + JSON_TYPE, BODY))
      expect(parseClientStream(answer!.body).content).toBe(answerText())
    },
  )
})

describe('paths that clients get wrong', () => {
  test.each([
    '/chat/completions',
    '/v1/chat/completions/',
    '/v1/v1/chat/completions',
    '//v1//chat/completions',
    '/v1/chat/completions?api-version=2025-01-01&beta=true',
  ])('%s', async path => {
    const [answer] = await sayRaw(gateway.origin, toRequest(`POST ${path}`, AUTH + JSON_TYPE, BODY))
    expect(parseClientStream(answer!.body).content).toBe(answerText())
  })

  test.each(['/models', '/v1/models/', '/v1/v1/models', '/v1/models?limit=5'])('%s', async path => {
    const [answer] = await sayRaw(gateway.origin, toRequest(`GET ${path}`, AUTH))
    expect(JSON.parse(answer!.body)).toMatchObject({
      object: 'list',
      data: [{ id: 'sim/text', object: 'model' }, {}, {}],
    })
  })

  test("Azure's path names the model", async () => {
    const body = toChatBody('ignored')
    const path = `/openai/deployments/${encodeURIComponent('sim/text')}/chat/completions?api-version=2025-01-01-preview`
    const [answer] = await sayRaw(gateway.origin, toRequest(`POST ${path}`, `api-key: ${KEY}\r\n${JSON_TYPE}`, body))
    const { content, chunks } = parseClientStream(answer!.body)
    expect(content).toBe(answerText())
    expect(chunks[0]).toMatchObject({ model: 'sim/text' })
    expect(JSON.parse(simulator.stats.lastRequest!.body)).toMatchObject({ model: 'text' })
  })

  test('one model by its id', async () => {
    const [found] = await sayRaw(gateway.origin, toRequest('GET /v1/models/sim/text', AUTH))
    expect(JSON.parse(found!.body)).toMatchObject({ id: 'sim/text', object: 'model' })
    const answer = await expectRefused(toRequest('GET /v1/models/sim/none', AUTH), 404, 'model_not_found')
    expect(answer.body).toContain('"param":"model"')
  })
})

describe('C4: several requests on one connection', () => {
  test('fifty at once, streams and whole answers: in order, none in another', async () => {
    const connection = connectRaw(gateway.origin)
    const asked = Array.from({ length: 50 }, (_, at) => ({
      stream: at % 3 !== 0,
      text: `number ${at} of fifty`,
      model: ['sim/echo', 'sim/echo?pace=2', 'sim/echo?first=30'][at % 3]!,
    }))
    const requests = asked.map(({ stream, text, model }, at) =>
      toRawRequest(
        toChatBody(model, { stream, messages: [{ role: 'user', content: text }] }),
        at === asked.length - 1 ? 'connection: close\r\n' : '',
      ),
    )
    connection.socket.write(requests.join(''))
    const answers = parseAnswers(await connection.closed)
    expect(answers).toHaveLength(50)
    for (const [at, { stream, text }] of asked.entries()) {
      const { status, headers } = answers[at]!
      expect(status).toBe(200)
      expect(contentOf(answers[at]!, stream)).toBe(text)
      expect(await gateway.access(headers['x-request-id']!)).toMatchObject({ ending: 'completed', stream })
    }
    expect(new Set(answers.map(({ headers }) => headers['x-request-id'])).size).toBe(50)
  })

  test('a good one and a bad one: the good one is answered', async () => {
    for (const stream of [true, false]) {
      const good = toRawRequest(toChatBody('sim/text?pace=5', { stream }))
      const answers = await sayRaw(gateway.origin, `${good}BAD REQUEST\r\n\r\n`)
      expect(answers).toMatchObject([{ status: 200, whole: true }])
      expect(contentOf(answers[0]!, stream)).toBe(answerText())
    }
  })

  test('a refused one does not spoil the next', async () => {
    const close = 'connection: close\r\n'
    const said = toRawRequest(toChatBody('nobody/text')) + toRawRequest(toChatBody('sim/text'), close)
    expect(await sayRaw(gateway.origin, said)).toMatchObject([{ status: 404 }, { status: 200, whole: true }])
  })
})
