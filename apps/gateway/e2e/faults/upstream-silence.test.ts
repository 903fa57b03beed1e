import { answerText } from '@millrace/simulator'
import { afterAll, describe, expect, test } from 'vitest'
import { parseClientStream } from './client-stream.ts'
import { expectBroken, expectGood, expectRefusal, expectStream } from './expectations.ts'
import { readCpuMs } from './process-numbers.ts'
import { startBench } from './start-bench.ts'

/** Of the gateway's timers, and of this machine. */
const LATE_MS = 2000

const bench = await startBench({
  clocks: { hasty: { firstByte: '200ms' }, brief: { total: '1s' }, trickling: { total: '3s' } },
})
const { gateway, simulator } = bench
afterAll(() => bench.end())

describe.concurrent('U2: headers that come late', () => {
  test.each([true, false])('just in time, they are an answer like any other (stream: %s)', async stream => {
    expectGood(await bench.ask('sim/text?first=600', { stream }), stream, answerText())
  })

  test.each(['refuse-headers', 'text?first=20000', 'stall?after=0', 'text?firstEvent=20000'])(
    '%s: 504 within the commit window, and the upstream is let go',
    async scenario => {
      const answer = await bench.ask(`hasty/${scenario}`)
      expectRefusal(answer, 504, 'first_byte_timeout')
      expect(answer.totalMs).toBeGreaterThanOrEqual(200)
      expect(answer.totalMs).toBeLessThan(200 + LATE_MS)
    },
  )

  test.each(['refuse-headers', 'stall?after=0'])('%s: 504 where a whole answer was asked for', async scenario => {
    const answer = await bench.ask(`hasty/${scenario}`, { stream: false })
    expectRefusal(answer, 504, 'first_byte_timeout')
    expect(answer.totalMs).toBeGreaterThanOrEqual(1000)
    expect(answer.totalMs).toBeLessThan(1000 + LATE_MS)
  })
})

describe.concurrent('U3: headers, then nothing', () => {
  test('the client gets no headers before the first event, or before the window is over', async () => {
    const answer = await bench.ask('sim/text?firstEvent=300')
    expectStream(answer, answerText())
    expect(answer.headersMs).toBeGreaterThanOrEqual(300)
  })
})

describe.concurrent('U4: silence in mid-stream', () => {
  test('heartbeats, then one error event', async () => {
    const answer = await bench.ask('sim/stall?after=4')
    const { content, comments } = expectBroken(answer, 'idle_timeout')
    expect(content).toBe('the mill stands')
    expect(comments.length).toBeGreaterThanOrEqual(2)
    expect(answer.totalMs).toBeGreaterThanOrEqual(1000)
    expect(answer.totalMs).toBeLessThan(1000 + LATE_MS)
    expect(answer.line).toMatchObject({ estimated: true, completionTokens: Math.ceil('the mill stands'.length / 4) })
  })

  test('504 where a whole answer was asked for', async () => {
    expectRefusal(await bench.ask('sim/stall', { stream: false }), 504, 'idle_timeout')
  })

  test('heartbeats come only into silence', async () => {
    const { comments } = expectStream(await bench.ask('sim/text?pace=50'), answerText())
    expect(comments).toEqual([])
  })

  test('heartbeats fill a silence that is short enough', async () => {
    const { comments } = expectStream(await bench.ask('sim/text?pace=700&words=3'), answerText(3))
    expect(comments.length).toBeGreaterThanOrEqual(5)
  })
})

describe.concurrent('U5: a trickle', () => {
  test('lives as long as the gaps are short enough, and says what it has to say', async () => {
    const answer = await bench.ask('sim/trickle?pace=600&bytes=6')
    expectStream(answer, answerText())
    expect(answer.totalMs).toBeGreaterThanOrEqual(6 * 600)
  })
})

describe.concurrent('the clock for all of it', () => {
  test('ends a stream that goes on', async () => {
    const answer = await bench.ask('brief/text?pace=50&words=1000')
    expectBroken(answer, 'total_timeout')
    expect(answer.totalMs).toBeGreaterThanOrEqual(1000)
    expect(answer.totalMs).toBeLessThan(1000 + LATE_MS)
  })

  test('is 504 where a whole answer was asked for', async () => {
    expectRefusal(await bench.ask('brief/sse?pace=50&words=1000', { stream: false }), 504, 'total_timeout')
  })
})

test('U2: one attempt, and the upstream is closed within 100 ms of the answer', async () => {
  const { chats } = simulator.stats
  const answer = await bench.ask('hasty/refuse-headers')
  const answeredAt = performance.timeOrigin + performance.now()
  expectRefusal(answer, 504, 'first_byte_timeout')
  await bench.upstream(stats => stats.streamsOpen === 0)
  expect(simulator.stats.abortedAt! - answeredAt).toBeLessThan(100)
  expect(simulator.stats.chats).toBe(chats + 1)
})

test('U5: a hundred trickles cost next to nothing', async () => {
  const answers = Array.from({ length: 100 }, () => bench.open('trickling/trickle?pace=500&bytes=1000'))
  await bench.upstream(stats => stats.streamsOpen === 100)
  const before = await readCpuMs(gateway.pid)
  const began = performance.now()
  const texts = await Promise.all(answers.map(async ({ whole }) => (await whole).text))
  const share = ((await readCpuMs(gateway.pid)) - before) / (performance.now() - began)
  // Those that never got to a first event end at the clock for all of it.
  for (const text of texts) expect(parseClientStream(text).error?.code).toBe('total_timeout')
  expect(share).toBeLessThan(0.2)
})
