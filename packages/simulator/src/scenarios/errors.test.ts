import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, contentOf, dataOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { ERROR_SHAPES, toFault } from '../error-shapes.ts'
import { startSimulator } from '../simulator.ts'
import type { Simulator } from '../simulator.ts'
import { STREAM_ERRORS } from '../stream-errors.ts'
import { answerText } from '../words.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const ask = (model: string, stream = true): Promise<Reply> => askSimulator(simulator, model, { stream })

/** What each shape looks like at its outermost level; null where it is not JSON. */
const OUTERMOST: Readonly<Record<string, readonly string[] | null>> = {
  openai: ['error'],
  quota: ['error'],
  context: ['error'],
  azure: ['error'],
  groq: ['error'],
  'code-number': ['error'],
  openrouter: ['error', 'user_id'],
  fireworks: ['error'],
  ollama: ['error'],
  string: ['error'],
  'code-string': ['code', 'error'],
  gemini: ['0'],
  google: ['error'],
  mistral: ['object', 'message', 'type', 'param', 'code'],
  flat: ['message', 'type', 'param', 'code'],
  detail: ['detail'],
  'detail-list': ['detail'],
  errors: ['errors', 'success'],
  message: ['Message'],
  aws: ['__type', 'message'],
  dashscope: ['code', 'message', 'request_id'],
  fault: ['fault'],
  anthropic: ['type', 'error'],
  sse: null,
  html: null,
  text: null,
  empty: null,
  'bad-json': null,
  null: [],
}

function outermostOf(text: string): readonly string[] | null {
  try {
    return Object.keys((JSON.parse(text) ?? {}) as object)
  } catch {
    return null
  }
}

describe('error', () => {
  it.each([...ERROR_SHAPES.keys()])('shape=%s', async shape => {
    const reply = await ask(`error?status=429&shape=${shape}&message=Too%20many.`)
    expect([reply.status, outermostOf(reply.text)]).toEqual([429, OUTERMOST[shape]])
    const silent = ['context', 'html', 'empty', 'bad-json', 'null'].includes(shape)
    expect(reply.text.includes('Too many.')).toBe(!silent)
  })

  it.each([
    ['html', 'text/html'],
    ['text', 'text/plain'],
    ['sse', 'text/event-stream'],
    ['openai', 'application/json'],
  ])('%s comes as %s', async (shape, type) => {
    expect((await ask(`error?shape=${shape}`)).headers['content-type']).toBe(type)
    expect((await ask(`error?shape=${shape}&type=x/y`)).headers['content-type']).toBe('x/y')
  })

  it('sends the headers that it is told to', async () => {
    const { headers } = await ask('error?status=429&retryAfter=bogus&retryAfterMs=700&shouldRetry=false')
    expect(headers).toMatchObject({ 'retry-after': 'bogus', 'retry-after-ms': '700', 'x-should-retry': 'false' })
    expect((await ask('error?status=429')).headers).not.toHaveProperty('retry-after')
  })

  it('may come only the first few times', async () => {
    const statuses: number[] = []
    for (let count = 0; count < 4; count++) statuses.push((await ask('error?status=503&times=2')).status)
    expect(statuses).toEqual([503, 503, 200, 200])
  })

  it('may take its time', async () => {
    const began = performance.now()
    await ask('error?after=60')
    expect(performance.now() - began).toBeGreaterThan(58)
  })
})

describe('error-in-stream', () => {
  it.each([...STREAM_ERRORS.keys()])('shape=%s', async shape => {
    const { text } = await ask(`error-in-stream?after=2&shape=${shape}`)
    const [first, second, ...rest] = text.split('\n\n').filter(event => event !== '')
    expect(dataOf(`${first}\n\n${second}`)).toHaveLength(2)
    expect(rest[0]).toMatch(STREAM_STARTS[shape]!)
    expect(text.includes('[DONE]')).toBe(shape === 'done')
  })

  it('may come first, or behind some text, in given words', async () => {
    expect(dataOf((await ask('error-in-stream?after=0')).text)).toHaveLength(1)
    const reply = await ask('error-in-stream?after=4&message=No%20more.')
    expect(contentOf(reply)).toBe(answerText(3))
    expect(dataOf(reply.text).at(-1)).toContain('"message":"No more."')
  })

  it('is an error with status 200 where no stream is asked for', async () => {
    const { status, text } = await ask('error-in-stream', false)
    expect([status, Object.keys(JSON.parse(text) as object)]).toEqual([200, ['error']])
  })
})

/** How the event with the error begins. */
const STREAM_STARTS: Readonly<Record<string, RegExp>> = {
  data: /^data: \{"error":\{/,
  event: /^event: error\ndata: \{"error":\{/,
  anthropic: /^event: error\ndata: \{"type":"error"/,
  flat: /^data: \{"object":"error","message"/,
  'flat-code': /^data: \{"code":/,
  field: /^error: \{/,
  string: /^data: \{"error":"/,
  'code-number': /"code":500/,
  finish: /"finish_reason":"error".*"error":\{"code":500/,
  'finish-only': /"delta":\{\},"logprobs":null,"finish_reason":"error"/,
  insufficient_system_resource: /"finish_reason":"insufficient_system_resource"/,
  error_finish: /"content":"The server had.*"finish_reason":"error_finish"/,
  raw: /^\{"error":\{/,
  vanished: /"delta":\{\},"logprobs":null,"finish_reason":null/,
  done: /^data: \{"error":\{/,
}

describe('evil-text', () => {
  it.each([
    ['html', /<script>/],
    ['escapes', /\\u001b\[2J/],
    ['key', /sk-simulated0/],
    ['prompt', /ignore all previous/],
    ['all', /<script>.*\\u001b.*sk-simulated.*ignore all/s],
  ])('kind=%s', async (kind, pattern) => {
    const { status, text } = await ask(`evil-text?kind=${kind}`)
    expect(status).toBe(400)
    expect(text).toMatch(pattern)
  })

  it('may be long, and may come in the stream', async () => {
    expect((await ask('evil-text?kind=long&status=500')).text.length).toBeGreaterThanOrEqual(300_000)
    const reply = await ask('evil-text?where=stream&kind=key')
    expect([reply.status, dataOf(reply.text).length]).toEqual([200, 4])
  })
})

describe('flaky', () => {
  it('fails the share that is asked for', async () => {
    const statuses = await Promise.all(Array.from({ length: 100 }, () => ask('flaky?rate=0.3&words=1', false)))
    const failed = statuses.filter(reply => reply.status === 500).length
    expect(failed).toBeGreaterThan(15)
    expect(failed).toBeLessThan(45)
    expect((await ask('flaky?rate=1&status=503')).status).toBe(503)
    expect((await ask('flaky?rate=0')).status).toBe(200)
  })
})

describe('toFault', () => {
  it('has types and codes for every status, and takes given words', () => {
    expect(toFault(429)).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' })
    expect(toFault(599)).toMatchObject({ type: 'server_error' })
    expect(toFault(400, 'Words.', 'own')).toMatchObject({ message: 'Words.', code: 'own' })
  })
})
