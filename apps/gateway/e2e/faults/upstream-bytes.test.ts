import { isUtf8 } from 'node:buffer'
import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { parseClientStream, type SeenStream } from './client-stream.ts'
import { expectBroken, expectCompletion, expectRefusal, expectStream } from './expectations.ts'
import { measureGrowth } from './process-numbers.ts'
import { answering, startRawServer } from './raw-server.ts'
import { CLOCKS, startBench } from './start-bench.ts'

const MEBIBYTE = 1024 * 1024
/** Four times the limit on an event, and what the garbage collector has not come to yet. */
const GROWTH = (64 + 32) * MEBIBYTE

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
const BEGINNING =
  'data: {"choices":[{"index":0,"delta":{"content":"one "}}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"'
/** Ends in the middle of a character. */
const cutCharacter = Buffer.concat([Buffer.from(HEAD + BEGINNING), Buffer.from('龙').subarray(0, 2)])
const cutting = await startRawServer(answering(cutCharacter))

const bench = await startBench({
  clocks: { patient: { firstByte: '60s', idle: '60s', total: '60s' } },
  providers: {
    cutting: { kind: 'openai', baseUrl: `http://127.0.0.1:${cutting.port}/v1`, models: ['text'], timeouts: CLOCKS },
  },
})
const { gateway, simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(async () => {
  await bench.end()
  await cutting[Symbol.asyncDispose]()
})

async function bytesOf(model: string, stream = true): Promise<Buffer> {
  const pieces: Buffer[] = []
  await bench.ask(model, { stream, onData: piece => void pieces.push(piece) })
  return Buffer.concat(pieces)
}

describe('U7: bytes that are not UTF-8', () => {
  test('what goes out is UTF-8 whatever came in', async () => {
    const streamed = await bytesOf('sim/badutf8')
    expect(isUtf8(streamed)).toBe(true)
    const { content, done } = parseClientStream(streamed.toString())
    expect(done).toBe(true)
    expect(content.match(/bad: \uFFFD+\./g)).toHaveLength(5)
    const whole = await bytesOf('sim/badutf8?as=sse', false)
    expect(isUtf8(whole)).toBe(true)
    expect(whole.toString()).toContain('bad: \uFFFD')
  })

  test('a character that is cut in two', async () => {
    expect(expectBroken(await bench.ask('cutting/text'), 'upstream_truncated').content).toBe('one ')
    expectRefusal(await bench.ask('cutting/text', { stream: false }), 502, 'upstream_truncated')
  })
})

describe('U8: events that are no chunks', () => {
  test.each(['{oops', 'null', '42', '[]', '"text"', '{"choices":[{"index":0,"delta":{"content":"half'])(
    '%s',
    async value => {
      const model = `not-json?value=${encodeURIComponent(value)}`
      expect(expectBroken(await bench.ask(`sim/${model}`), 'upstream_malformed').content).toBe('the mill')
      expectRefusal(await bench.ask(`sim/${model}&as=sse`, { stream: false }), 502, 'upstream_malformed')
    },
  )

  test.each(['{"choices":null}', '{"choices":[null]}', '{"choices":[{"delta":null}]}', '{}', ' '])(
    '%s says nothing',
    async value => {
      const model = `not-json?value=${encodeURIComponent(value)}`
      expectStream(await bench.ask(`sim/${model}`), answerText())
      expectCompletion(await bench.ask(`sim/${model}&as=sse`, { stream: false }), answerText())
    },
  )
})

/** All that a stream says, however it is cut into chunks. */
function said({ chunks, content, finishes }: SeenStream): object {
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
  const calls = deltas.flatMap(({ tool_calls }) => tool_calls ?? [])
  const joined = [0, 1].map(at =>
    calls.flatMap(({ index, function: details }) => (index === at ? details.arguments : [])).join(''),
  )
  return {
    content,
    finishes,
    calls: joined,
    reasoning: deltas.map(({ reasoning_content }) => reasoning_content).join(''),
  }
}

describe('U9: framings and splits', () => {
  const FRAMINGS = ['eol=lf', 'eol=cr', 'eol=crlf', 'bom=1', 'comments=1', 'multiline=1', 'space=0', 'blank=0']
  const SPLITS = ['batch=1', 'split=1', 'split=3', 'split=61']

  test.each(['text?words=6', 'unicode?size=9', 'tools?words=6', 'reasoning?words=4'])(
    '%s says the same in all of them',
    { timeout: 60_000 },
    async scenario => {
      const plain = said(parseClientStream((await bench.ask(`patient/${scenario}`)).text))
      for (const framing of FRAMINGS) {
        const answers = await Promise.all(SPLITS.map(split => bench.ask(`patient/${scenario}&${framing}&${split}`)))
        for (const { text } of answers) expect(said(parseClientStream(text))).toEqual(plain)
      }
    },
  )
})

describe('U10: too much', () => {
  test.each([1, 10])('an event of %d MiB passes, in a stream and in a whole answer', async mebibytes => {
    const bytes = mebibytes * MEBIBYTE
    const streamed = await bytesOf(`patient/big-event?bytes=${bytes}`)
    expect(parseClientStream(streamed.toString()).content).toHaveLength('before '.length + bytes + ' after'.length)
    const whole = await bytesOf(`patient/big-event?as=sse&bytes=${bytes}`, false)
    expect(whole.toString()).toMatch(/"content":"before x+ after"/)
    expect(whole.length).toBeGreaterThan(bytes)
  })

  test('a line without end is an error as soon as it is over the limit', { timeout: 60_000 }, async () => {
    const written = simulator.stats.bytesWritten
    const growth = await measureGrowth(gateway.pid, async () => {
      expect(expectBroken(await bench.ask('patient/big-line'), 'upstream_malformed').content).toBe('before')
    })
    expect(growth).toBeLessThan(GROWTH)
    // Some of what was written was still on its way.
    expect(simulator.stats.bytesWritten - written).toBeLessThan(48 * MEBIBYTE)
    expectRefusal(await bench.ask('patient/big-line?as=sse', { stream: false }), 502, 'upstream_malformed')
  })

  test('data lines that never make an event', async () => {
    expectBroken(await bench.ask('patient/many-data-lines'), 'upstream_truncated')
    const growth = await measureGrowth(gateway.pid, async () => {
      expectBroken(await bench.ask('patient/many-data-lines?bytes=33554432'), 'upstream_malformed')
    })
    expect(growth).toBeLessThan(GROWTH)
  })

  test('a comment of 64 MiB is ignored, and not held', async () => {
    const growth = await measureGrowth(gateway.pid, async () => {
      expectStream(await bench.ask('patient/big-comment'), answerText())
    })
    expect(growth).toBeLessThan(GROWTH)
  })

  test('100,000 tiny events', { timeout: 60_000 }, async () => {
    let bytes = 0
    const answer = await bench.ask('patient/tiny', { onData: piece => void (bytes += piece.length) })
    expect(answer.line).toMatchObject({ ending: 'completed', chunks: 100_002 })
    expect(bytes).toBeGreaterThan(100_000 * 100)
    expect(answer.totalMs).toBeLessThan(20_000)
  })
})
