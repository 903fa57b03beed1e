import type { FailureCode } from '@millrace/core'
import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { expectBroken, expectCompletion, expectFailed, expectRefusal, expectStream } from './expectations.ts'
import { startBench } from './start-bench.ts'

const bench = await startBench({ clocks: { patient: { firstByte: '60s', idle: '60s', total: '60s' } } })
const { simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(() => bench.end())

const HOW = ['reset', 'drop', 'cut'] as const

describe('U6: an answer that breaks off', () => {
  test.each(HOW)('%s: what came stays, one error event, no finish', async how => {
    const answer = await bench.ask(`sim/${how}?after=1200`)
    const { content, finishes, error } = expectBroken(answer, 'upstream_truncated')
    expect(content).not.toBe('')
    expect(answerText()).toMatch(new RegExp(`^${content}.`))
    expect(finishes).toEqual([])
    expect(error.type).toBe('upstream_error')
    expect(answer.line).toMatchObject({ estimated: true })
  })

  test.each(HOW)('%s, wherever it happens', { timeout: 60_000 }, async how => {
    // An ordinary stream has some 5,000 bytes; the first event has about 240, the finish and what follows about 500.
    const offsets = Array.from({ length: 60 }, (_, at) => 1 + at * 75)
    await Promise.all(
      offsets.map(async after => {
        const answer = await bench.ask(`sim/${how}?after=${after}`)
        const { content } = expectFailed(answer, 'upstream_truncated')
        expect(answerText()).toContain(content)
      }),
    )
  })

  test.each([...HOW, 'truncated-json'])('%s: 502 where a whole answer was asked for', async how => {
    expectRefusal(await bench.ask(`sim/${how}`, { stream: false }), 502, 'upstream_truncated')
  })

  test.each(HOW)('%s of a stream where a whole answer was asked for: what had come is dropped', async how => {
    const answer = await bench.ask(`sim/${how}?as=sse&after=1200`, { stream: false })
    expectRefusal(answer, 502, 'upstream_truncated')
    expect(answer.text).not.toContain('mill')
  })

  test('a clean end between two events, without a finish', async () => {
    expect(expectBroken(await bench.ask('sim/no-finish'), 'upstream_truncated').content).toBe(answerText())
    expectRefusal(await bench.ask('sim/no-finish?as=sse', { stream: false }), 502, 'upstream_truncated')
  })

  test('a cut before anything came is no stream', async () => {
    for (const how of HOW) {
      const answer = await bench.ask(`sim/${how}?after=0`)
      // Whether the head got through before the end depends on how it ended.
      const code = answer.line['ending'] as FailureCode
      expect(['upstream_bad_response', 'upstream_truncated', 'connect_failed']).toContain(code)
      expectRefusal(answer, 502, code)
    }
  })
})

describe('U11: [DONE]', () => {
  test.each(['text?done=0', 'text?done=2', 'text?done=open', 'text?done=1'])('%s: exactly one, at once', async name => {
    const answer = await bench.ask(`patient/${name}`)
    expectStream(answer, answerText())
    expect(answer.totalMs).toBeLessThan(1000)
  })

  test('a socket that stays open behind it is closed soon', async () => {
    expectStream(await bench.ask('patient/text?done=open'), answerText())
    await bench.upstream(stats => stats.streamsOpen === 0)
  })

  test('a connection is used again where the upstream ends properly', async () => {
    expectStream(await bench.ask('patient/text'), answerText())
    const { socketsAccepted } = simulator.stats
    for (let count = 0; count < 5; count++) expectStream(await bench.ask('patient/text'), answerText())
    expect(simulator.stats.socketsAccepted).toBe(socketsAccepted)
  })

  test('in the text it is text', async () => {
    const content = '[DONE]\n\ndata: [DONE]\n\n data: {"error":{"message":"no"}}\n\n[DONE]'
    expectStream(await bench.ask('sim/done-in-content'), content)
    expectCompletion(await bench.ask('sim/done-in-content', { stream: false }), content)
  })
})
