import { FAILURES, type FailureCode } from '@millrace/core'
import { afterAll, describe, expect, test } from 'vitest'
import type { AskOptions } from './chat-client.ts'
import { expectBroken, expectRefusal } from './expectations.ts'
import { startBench, type LoggedAnswer } from './start-bench.ts'

const bench = await startBench()
const { simulator } = bench
/** How many requests the upstream should have seen. */
let expected = 0
afterAll(() => bench.end())

/** Asks; the upstream hears of it once. */
function ask(model: string, options?: AskOptions): Promise<LoggedAnswer> {
  expected++
  return bench.ask(model, options)
}

/** The answers as a stream and in one piece. */
function askBoth(model: string): Promise<LoggedAnswer[]> {
  return Promise.all([true, false].map(stream => ask(model, { stream })))
}

const PAST = encodeURIComponent('Wed, 21 Oct 2015 07:28:00 GMT')

describe.concurrent.each([true, false])('U14: 429 (stream: %s)', stream => {
  test.each([
    ['retryAfter=1', { 'retry-after': '1' }],
    ['retryAfterMs=700', { 'retry-after': '1' }],
    ['retryAfter=20', { 'retry-after': '20' }],
    // Longer than any client should sit and wait.
    ['retryAfter=121', { 'x-should-retry': 'false' }],
    [`retryAfter=${PAST}`, {}],
    ['retryAfter=soon', {}],
    ['retryAfter=-5', {}],
    ['status=429', {}],
  ])('%s', async (option, expected) => {
    const answer = await ask(`sim/error?status=429&${option}`, { stream })
    expect(expectRefusal(answer, 429, 'rate_limit_exceeded').type).toBe('rate_limit_error')
    const { 'retry-after': after, 'x-should-retry': retry } = answer.headers
    expect({ ...(after && { 'retry-after': after }), ...(retry && { 'x-should-retry': retry }) }).toEqual(expected)
    expect(answer.totalMs).toBeLessThan(5000)
  })
})

type Row = readonly [shape: string, upstreamStatus: number, status: number, code: FailureCode]

const WORDS = 'no mill of that kind'

/** Shapes that carry the words, and what a 400 of that shape is. */
const SHAPES: readonly Row[] = [
  ...[
    'openai',
    'groq',
    'code-number',
    'openrouter',
    'fireworks',
    'ollama',
    'string',
    'code-string',
    'gemini',
    'google',
    'mistral',
    'flat',
    'detail',
    'errors',
    'message',
    'dashscope',
    'fault',
    'anthropic',
    'sse',
    'text',
  ].map((shape): Row => [shape, 400, 400, 'upstream_rejected']),
  ['openai', 422, 400, 'upstream_rejected'],
  ['quota', 429, 429, 'insufficient_quota'],
  ['aws', 400, 429, 'rate_limit_exceeded'],
  ['azure', 400, 400, 'content_filter'],
  ['openai', 401, 502, 'upstream_auth_failed'],
  ['openai', 402, 429, 'insufficient_quota'],
  ['openai', 403, 502, 'upstream_auth_failed'],
  ['openai', 408, 504, 'upstream_timeout'],
  ['openai', 413, 413, 'request_too_large'],
  ['openai', 500, 502, 'upstream_error'],
  ['openai', 503, 503, 'upstream_overloaded'],
  ['openai', 504, 504, 'upstream_timeout'],
  ['openai', 529, 503, 'upstream_overloaded'],
]

/** Bodies without words of their own. */
const WORDLESS: readonly Row[] = [
  ['context', 400, 400, 'context_length_exceeded'],
  ['html', 400, 400, 'upstream_rejected'],
  ['html', 503, 503, 'upstream_overloaded'],
  ['empty', 400, 400, 'upstream_rejected'],
  ['null', 400, 400, 'upstream_rejected'],
  ['bad-json', 400, 400, 'upstream_rejected'],
]

/** Whether the client is told that asking again is no use. */
function adviceOf({ headers }: LoggedAnswer): boolean {
  return headers['x-should-retry'] === 'false'
}

describe.concurrent('U16: errors in every shape: one attempt, the status that clients act on', () => {
  test.each(SHAPES)('%s with %d, its words kept', async (shape, upstreamStatus, status, code) => {
    const model = `sim/error?shape=${shape}&status=${upstreamStatus}&message=${encodeURIComponent(WORDS)}`
    for (const answer of await askBoth(model)) {
      expect(expectRefusal(answer, status, code).message).toContain(WORDS)
      expect(adviceOf(answer)).toBe(!FAILURES[code].retry)
    }
  })

  test.each(WORDLESS)('%s with %d', async (shape, upstreamStatus, status, code) => {
    for (const answer of await askBoth(`sim/error?shape=${shape}&status=${upstreamStatus}`)) {
      const { message } = expectRefusal(answer, status, code)
      expect(message).not.toMatch(/markup|proxy\.internal/)
      expect(adviceOf(answer)).toBe(!FAILURES[code].retry)
    }
  })

  test('context overflow is told in words that clients look for', async () => {
    const answer = await ask('sim/error?shape=context&status=400')
    const error = expectRefusal(answer, 400, 'context_length_exceeded')
    expect(error.message).toContain('maximum context length is 8192 tokens')
    expect(error.param).toBe('messages')
  })
})

describe.concurrent('errors inside a stream that began well', () => {
  test.each([
    ['data', 'upstream_error'],
    ['event', 'upstream_error'],
    ['anthropic', 'upstream_error'],
    ['flat', 'upstream_error'],
    ['flat-code', 'upstream_error'],
    ['field', 'upstream_error'],
    ['string', 'upstream_error'],
    ['code-number', 'upstream_error'],
    ['finish', 'upstream_error'],
    ['finish-only', 'upstream_error'],
    ['insufficient_system_resource', 'upstream_overloaded'],
    ['error_finish', 'upstream_error'],
    ['raw', 'upstream_error'],
    ['vanished', 'upstream_truncated'],
    ['done', 'upstream_error'],
  ] as const)('%s', async (shape, code) => {
    const { content } = expectBroken(await ask(`sim/error-in-stream?shape=${shape}`), code)
    expect(content).toBe('the mill')
    const whole = await ask(`sim/error-in-stream?shape=${shape}&as=sse`, { stream: false })
    expectRefusal(whole, FAILURES[code].status, code)
  })
})

test('each of them was one attempt; a refusal of `stream_options` is the one that is asked again, without them', async () => {
  expect(simulator.stats.requests).toBe(expected)
  expected++
  expectRefusal(await ask('sim/error?shape=detail-list&status=422'), 400, 'upstream_rejected')
  expect(simulator.stats.requests).toBe(expected)
  expect(JSON.parse(simulator.stats.lastRequest!.body)).not.toHaveProperty('stream_options')
  expectRefusal(await ask('sim/error?shape=detail-list&status=422'), 400, 'upstream_rejected')
  expect(simulator.stats.requests).toBe(expected)
})
