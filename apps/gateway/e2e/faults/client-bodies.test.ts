import { answerText } from '@millrace/simulator'
import type { FailureCode } from '@millrace/core'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { expectEnvelope, expectRefusal } from './expectations.ts'
import { measureGrowth } from './process-numbers.ts'
import { connectRaw, contentOf, parseAnswers, toChatBody, toRawRequest, type RawAnswer } from './raw-client.ts'
import { KEY, startBench, within } from './start-bench.ts'

const MEBIBYTE = 1024 * 1024
const LIMIT = 10 * MEBIBYTE

const bench = await startBench({ clocks: { patient: { firstByte: '60s', idle: '60s', total: '60s' } } })
const { gateway, simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(() => bench.end())

/** Sends these bytes as a body; the answer is the only one, and the connection is over then. */
async function send(body: string | Buffer): Promise<RawAnswer> {
  const bytes = Buffer.from(body)
  const { socket, closed } = connectRaw(gateway.origin)
  socket.write(
    toRawRequest('', 'connection: close\r\n').replace('content-length: 0', `content-length: ${bytes.length}`),
  )
  socket.write(bytes)
  const answers = parseAnswers(await closed)
  expect(answers).toHaveLength(1)
  return answers[0]!
}

/** Checks that these bytes are refused with 400 and that the upstream does not hear of it. */
async function expectInvalid(body: string | Buffer, code: FailureCode = 'invalid_json'): Promise<string | null> {
  const { requests } = simulator.stats
  const { status, headers, body: text } = await send(body)
  const answer = { status, headers, text, ended: true, headersMs: 0, totalMs: 0 }
  const { param } = expectEnvelope(answer, 400, code)
  expect(headers['x-should-retry']).toBe('false')
  expect(simulator.stats.requests).toBe(requests)
  return param
}

/** Checks that these bytes are answered; returns what the upstream got. */
async function expectPassed(body: string | Buffer): Promise<string> {
  expect(await send(body)).toMatchObject({ status: 200, whole: true })
  return simulator.stats.lastRequest!.body
}

/** A chat body of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const shell = toChatBody('patient/text', { user: '' })
  return toChatBody('patient/text', { user: 'u'.repeat(bytes - shell.length) })
}

describe('C5: the size of a body', () => {
  test('up to the limit it passes, one byte more does not', async () => {
    for (const bytes of [LIMIT - 1, LIMIT])
      expect(await send(bodyOf(bytes))).toMatchObject({ status: 200, whole: true })
    expect(await send(bodyOf(LIMIT + 1))).toMatchObject({ status: 413, headers: { connection: 'close' } })
  })

  test('the message names the limit', async () => {
    const answer = await bench.ask('patient/text', { members: { user: 'u'.repeat(LIMIT) } })
    expect(expectRefusal(answer, 413, 'request_too_large').message).toContain(String(LIMIT))
  })

  test('a client that sends it all at once is told, each time', async () => {
    const body = bodyOf(3 * LIMIT)
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
    for (let turn = 0; turn < 10; turn++) {
      const answer = await fetch(`${gateway.baseUrl}/chat/completions`, { method: 'POST', headers, body })
      expect(answer.status).toBe(413)
      await answer.arrayBuffer()
    }
  })

  test('a length that is too much is refused before anything of it is sent', async () => {
    const { socket, closed } = connectRaw(gateway.origin)
    socket.write(toRawRequest('').replace('content-length: 0', `content-length: ${1024 * MEBIBYTE}`))
    const [answer] = parseAnswers(await within(5000, closed, () => 'not closed'))
    expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' }, whole: true })
  })

  test('of a gigabyte without a length little more than the limit is read', { timeout: 60_000 }, async () => {
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, ' '), Buffer.from('\r\n')])
    let sent = 0
    let overAt = 0
    const growth = await measureGrowth(gateway.pid, async () => {
      const { socket, closed } = connectRaw(gateway.origin)
      socket.write(toRawRequest('', 'transfer-encoding: chunked\r\n').replace(/content-length: 0\r\n/, ''))
      const flood = (): void => {
        while (!socket.destroyed && sent < 1024 * MEBIBYTE) {
          sent += chunk.length
          if (sent > LIMIT) overAt ||= performance.now()
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', flood)
      flood()
      const [answer] = parseAnswers(await within(20_000, closed, () => 'not closed'))
      expect(performance.now() - overAt).toBeLessThan(2000)
      expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' }, whole: true })
    })
    // Some of what was sent went no further than the sockets.
    expect(sent).toBeLessThan(LIMIT + 24 * MEBIBYTE)
    expect(growth).toBeLessThan(64 * MEBIBYTE)
  })

  test('a length that is too small cuts the body, and what is left is no request', async () => {
    const body = toChatBody('patient/text')
    const { socket, closed } = connectRaw(gateway.origin)
    socket.write(toRawRequest(body).replace(/content-length: \d+/, `content-length: ${body.length - 9}`))
    const answers = parseAnswers(await closed)
    expect(answers[0]).toMatchObject({ status: 400 })
    for (const answer of answers) expect(answer).toMatchObject({ status: 400, whole: true })
  })

  test('what comes behind a good body does not get into the answer', async () => {
    for (const stream of [true, false]) {
      const { socket, closed } = connectRaw(gateway.origin)
      socket.write(`${toRawRequest(toChatBody('patient/text?pace=10', { stream }))}{"and":"more"}`)
      socket.on('connect', () => socket.write(' and more'))
      const answers = parseAnswers(await closed)
      expect(answers).toMatchObject([{ status: 200, whole: true }])
      expect(contentOf(answers[0]!, stream)).toBe(answerText())
    }
  })

  test('a length that is too large is an error as soon as the client has nothing more to say', async () => {
    const { socket, closed } = connectRaw(gateway.origin)
    socket.end(toRawRequest(toChatBody('patient/text')).replace(/content-length: (\d+)/, 'content-length: 1$1'))
    expect(parseAnswers(await closed)).toMatchObject([{ status: 400, whole: true }])
  })

  test('chunks that are none', async () => {
    const { socket, closed } = connectRaw(gateway.origin)
    const request = toRawRequest('', 'transfer-encoding: chunked\r\n').replace(/content-length: 0\r\n/, '')
    socket.write(`${request}5\r\n{"mod\r\nzz\r\nel":1}\r\n0\r\n\r\n`)
    const [answer] = parseAnswers(await closed)
    expect(answer).toMatchObject({ status: 400, headers: { connection: 'close' }, whole: true })
    expect(await gateway.access(answer!.headers['x-request-id']!)).toMatchObject({ status: 400, ending: 'bad_request' })
  })
})

/** A body with lists in lists, so many levels in all. */
function nested(depth: number): string {
  const lists = `${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}`
  return toChatBody('patient/text').replace(/}$/, `,"deep":${lists}}`)
}

/** A body in which one object has so many members. */
function manyKeys(count: number): string {
  const metadata = Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1]))
  return toChatBody('patient/text', { metadata })
}

describe('C6: JSON that is too much', () => {
  test('64 levels pass, 65 do not', async () => {
    expect(JSON.parse(await expectPassed(nested(64)))).toHaveProperty('deep')
    await expectInvalid(nested(65))
  })

  test('10,000 members pass, one more does not', async () => {
    await expectPassed(manyKeys(10_000))
    await expectInvalid(manyKeys(10_001))
  })

  test('a long text passes as it is', async () => {
    const user = 'ü"\\\n'.repeat(1_000_000)
    expect(JSON.parse(await expectPassed(toChatBody('patient/text', { user })))).toMatchObject({ user })
  })

  test.each([
    ['100,000 levels', () => nested(100_000)],
    ['levels all over', () => '['.repeat(LIMIT)],
    ['objects in objects', () => '{"a":'.repeat(LIMIT / 5)],
    ['700,000 members', () => manyKeys(700_000)],
    ['one text that never ends', () => `{"a":"${'\\"'.repeat(LIMIT / 2 - 4)}`],
    ['one long number', () => `{"a":${'9'.repeat(LIMIT - 7)}}`],
  ])('%s: refused soon, and not held', { timeout: 60_000 }, async (_name, make) => {
    const body = make()
    const growth = await measureGrowth(gateway.pid, async () => {
      const began = performance.now()
      await expectInvalid(body)
      expect(performance.now() - began).toBeLessThan(3000)
    })
    expect(growth).toBeLessThan(64 * MEBIBYTE)
  })
})

/** A body with these bytes in the middle of a text. */
function around(bytes: readonly number[]): Buffer {
  const [before, after] = toChatBody('patient/text', { user: '@' }).split('@')
  return Buffer.concat([Buffer.from(before!), Buffer.from(bytes), Buffer.from(after!)])
}

describe('C7: text that is none', () => {
  test.each([
    ['a byte that never occurs', [0xff]],
    ['an overlong form', [0xc0, 0xaf]],
    ['half of a surrogate pair as bytes', [0xed, 0xa0, 0x80]],
    ['a character cut short', [0xe9, 0xbe]],
    ['a continuation without a beginning', [0x99]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['NUL', [0]],
    ['a raw line end', [0x0a]],
  ])('%s', async (_name, bytes) => {
    await expectInvalid(around(bytes))
  })

  test('UTF-16, with and without its mark', async () => {
    const body = Buffer.from(toChatBody('patient/text'), 'utf16le')
    await expectInvalid(body)
    await expectInvalid(Buffer.concat([Buffer.from([0xff, 0xfe]), body]))
  })

  test('a byte order mark is left out', async () => {
    const got = await expectPassed(Buffer.from(`\uFEFF${toChatBody('patient/text')}`))
    expect(got.startsWith('{')).toBe(true)
  })

  test('escapes of half a surrogate pair, of NUL and of line ends go up as they came', async () => {
    const escapes = String.raw`\ud800 \udc00x \u0000 \u2028 \r\n`
    const got = await expectPassed(toChatBody('patient/text', { user: '@' }).replace('@', () => escapes))
    expect(got).toContain(`"${escapes}"`)
    expect(got).not.toContain('\uFFFD')
  })

  test.each([
    '',
    ' ',
    'null',
    '42',
    '"text"',
    '[]',
    '{',
    '{}}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":1e999}',
    '{}{}',
  ])('no JSON object: %s', async body => {
    await expectInvalid(body)
  })

  test('nothing of the prompt is in the refusal', async () => {
    const { body } = await send('{"messages":[{"role":"user","content":"my secret plan"}],"model":oops}')
    expect(body).toContain('invalid_json')
    expect(body).not.toMatch(/secret|plan|content/)
  })
})

describe('C8: members that could be read in two ways', () => {
  /** Bodies with a place at each level for one more member. */
  const LEVELS: Readonly<Record<string, string>> = {
    'the outermost': '{"model":"patient/text","messages":[{"role":"user","content":"a"}]@}',
    'a message': '{"model":"patient/text","messages":[{"role":"user","content":"a"@}]}',
    'a part of a message':
      '{"model":"patient/text","messages":[{"role":"user","content":[{"type":"text","text":"a"@}]}]}',
    metadata: '{"model":"patient/text","messages":[{"role":"user","content":"a"}],"metadata":{"a":1@}}',
    'the schema of a tool':
      '{"model":"patient/text","messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{}@}}}}]}',
  }
  /** Pairs of members that are one and the same. */
  const TWICE = [
    ['"model":"patient/text"', '"model":"patient/json"'],
    ['"stream":true', '"stream":false'],
    ['"stream":true', String.raw`"str\u0065am":true`],
    ['"":1', '"":2'],
    ['"x":1', String.raw`"y":2,"\u0078":3`],
    ['"é":1', String.raw`"\u00e9":1`],
    [String.raw`"\ud83c\udf3e":1`, '"🌾":1'],
    ['"user":"a"', '"user":"a"'],
  ]
  const HOSTILE = [
    '"__proto__":{"polluted":1}',
    String.raw`"__pro\u0074o__":null`,
    '"constructor":{"prototype":{"polluted":1}}',
  ]
  const levels = Object.keys(LEVELS)

  test.each(levels)('in %s', async level => {
    const withMembers = (...members: string[]): string => LEVELS[level]!.replace('@', () => `,${members.join(',')}`)
    for (const pair of TWICE) {
      // The outermost has a model already.
      await expectInvalid(withMembers(...pair))
      await expectInvalid(withMembers(...pair.toReversed()))
    }
    for (const member of HOSTILE) await expectInvalid(withMembers(member))
    // With many members names are compared in another way.
    const many = Array.from({ length: 40 }, (_, at) => `"m${at}":0`)
    await expectInvalid(withMembers(...many, '"m7":1'))
    await expectInvalid(withMembers(...many, '"__proto__":1'))
    const got = await expectPassed(withMembers(...many))
    expect(got).toContain(many.join(','))
  })

  test('names that every object has are refused where members are looked up', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
      const body = LEVELS['the outermost']!.replace('@', `,"${name}":1`)
      expect(await expectInvalid(body)).toBe(name)
      const got = await expectPassed(LEVELS['the schema of a tool']!.replace('@', `,"${name}":{"type":"string"}`))
      expect(got).toContain(`"${name}":{"type":"string"}`)
    }
  })

  test('the model that is checked is the model that is sent', async () => {
    const got = await expectPassed(
      String.raw`{"mod\u0065l":"patient\/te\u0078t","messages":[{"role":"user","content":"a"}]}`,
    )
    expect(JSON.parse(got)).toMatchObject({ model: 'text' })
    expect(got.match(/model|mod\\u0065l/g)).toHaveLength(1)
  })
})
