import { answerText } from '@millrace/simulator'
import { afterAll, describe, expect, test } from 'vitest'
import { expectBroken, expectRefusal, expectStream } from './expectations.ts'
import { startBench } from './start-bench.ts'

/** The window is 500 ms, and a heartbeat comes after 300 ms of silence. */
const bench = await startBench({ clocks: { patient: { firstByte: '60s', idle: '60s', total: '60s' } } })
const waiting = await startBench({
  stream: { commitAfter: 0, heartbeat: '100ms' },
  clocks: { patient: { firstByte: '60s', idle: '60s', total: '60s' } },
})
const quiet = await startBench({ stream: { commitAfter: '100ms', heartbeat: 0 } })
const benches = [bench, waiting, quiet]
afterAll(async () => {
  for (const one of benches) await one.end()
})

describe.concurrent('within the window', () => {
  test('a failure has its own status', async () => {
    const answer = await bench.ask('patient/error?status=429&after=200&retryAfter=7')
    expectRefusal(answer, 429, 'rate_limit_exceeded')
    expect(answer.headers['retry-after']).toBe('7')
    expect(answer.totalMs).toBeGreaterThanOrEqual(200)
  })

  test('nothing is sent before the first frame', async () => {
    const answer = await bench.ask('patient/text?first=250')
    const { comments } = expectStream(answer, answerText())
    expect(comments).toEqual([])
    expect(answer.headersMs).toBeGreaterThanOrEqual(250)
  })
})

describe.concurrent('behind the window', () => {
  test('the client has its 200, and heartbeats until there is something to say', async () => {
    const answer = await bench.ask('patient/text?first=1500')
    const { comments } = expectStream(answer, answerText())
    // One with the status, then one for each 300 ms.
    expect(comments.length).toBeGreaterThanOrEqual(3)
    expect(answer.headersMs).toBeGreaterThanOrEqual(500)
    expect(answer.headersMs).toBeLessThan(1500)
    expect(answer.text.startsWith(': ')).toBe(true)
  })

  test('a failure is one event', async () => {
    const answer = await bench.ask('patient/error?status=429&after=800&retryAfter=7')
    const { chunks, error } = expectBroken(answer, 'rate_limit_exceeded')
    expect(chunks).toEqual([])
    expect(error.type).toBe('rate_limit_error')
    expect(answer.headers['retry-after']).toBeUndefined()
  })

  test('a whole answer waits for as long as it takes', async () => {
    const answer = await bench.ask('patient/error?status=429&after=800&retryAfter=7', { stream: false })
    expectRefusal(answer, 429, 'rate_limit_exceeded')
    expect(answer.headers['retry-after']).toBe('7')
  })
})

describe.concurrent('without a window', () => {
  test('the status waits for the first frame', async () => {
    const failed = await waiting.ask('patient/error?status=503&after=1200')
    expectRefusal(failed, 503, 'upstream_overloaded')
    const answer = await waiting.ask('patient/text?first=1200')
    expect(expectStream(answer, answerText()).comments).toEqual([])
    expect(answer.headersMs).toBeGreaterThanOrEqual(1200)
  })

  test('heartbeats come behind the first frame', async () => {
    const { comments } = expectStream(await waiting.ask('patient/text?pace=400&words=3'), answerText(3))
    expect(comments.length).toBeGreaterThanOrEqual(6)
  })
})

test.concurrent('without heartbeats there is one comment, with the status, and no other', async () => {
  const { comments } = expectStream(await quiet.ask('sim/text?first=900'), answerText())
  expect(comments).toHaveLength(1)
})
