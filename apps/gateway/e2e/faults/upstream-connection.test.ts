import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { startBlackHole } from './black-hole.ts'
import { expectBroken, expectGood, expectRefusal } from './expectations.ts'
import { answering, findClosedPort, startRawServer } from './raw-server.ts'
import { CLOCKS, startBench, UPSTREAM_KEY } from './start-bench.ts'

/** Of the gateway's timers, and of this machine. */
const LATE_MS = 2000

const hole = await startBlackHole()
const silent = await startRawServer(() => undefined)
const plain = await startRawServer(answering('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'))

function provider(baseUrl: string, connect: string = CLOCKS.connect): object {
  return { kind: 'openai', baseUrl, apiKey: UPSTREAM_KEY, models: ['text'], timeouts: { ...CLOCKS, connect } }
}

const bench = await startBench({
  providers: {
    dead: provider(`http://127.0.0.1:${await findClosedPort()}/v1`),
    // A name that is too long to be looked up anywhere.
    nowhere: provider(`https://${'nowhere'.repeat(10)}.localhost/v1`),
    hole: provider(`http://127.0.0.1:${hole.port}/v1`, '300ms'),
    'slow-hole': provider(`http://127.0.0.1:${hole.port}/v1`),
    'silent-tls': provider(`https://127.0.0.1:${silent.port}/v1`, '300ms'),
    'no-tls': provider(`https://127.0.0.1:${plain.port}/v1`),
  },
})
const { simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(async () => {
  await bench.end()
  await Promise.all([hole, silent, plain].map(server => server[Symbol.asyncDispose]()))
})

describe.each([true, false])('U1: no connection (stream: %s)', stream => {
  test.each(['dead', 'nowhere'])('%s: 502 connect_failed, at once', async name => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => bench.ask(`${name}/text`, { stream })))
    for (const answer of answers) {
      expect(expectRefusal(answer, 502, 'connect_failed').type).toBe('upstream_error')
      expect(answer.headers['x-should-retry']).toBeUndefined()
    }
    const times = answers.map(({ line }) => line['totalMs'] as number)
    expect(times.toSorted((a, b) => a - b)[4]).toBeLessThan(100)
  })

  test.each(['hole', 'silent-tls'])('%s: 504 connect_timeout, in time', async name => {
    const answer = await bench.ask(`${name}/text`, { stream })
    expectRefusal(answer, 504, 'connect_timeout')
    expect(answer.totalMs).toBeGreaterThanOrEqual(300)
    expect(answer.totalMs).toBeLessThan(300 + LATE_MS)
  })

  test('no TLS where there should be: 502, and the key is not sent', async () => {
    expectRefusal(await bench.ask('no-tls/text', { stream }), 502, 'tls_error')
    expect(plain.received.toString('latin1')).not.toContain(UPSTREAM_KEY)
  })

  test.each(['drop', 'reset'])('the upstream hangs up instead of answering (%s): 502, and one attempt', async how => {
    const attempts = simulator.stats.chats
    expectRefusal(await bench.ask(`sim/hangup?how=${how}`, { stream }), 502, 'connect_failed')
    expect(simulator.stats.chats).toBe(attempts + 1)
  })
})

test('U1: what takes longer than the commit window is told in the stream', async () => {
  const { chunks } = expectBroken(await bench.ask('slow-hole/text'), 'connect_timeout')
  expect(chunks).toEqual([])
})

test('U1: of a thousand requests none is answered wrongly', { timeout: 60_000 }, async () => {
  let left = 1000
  async function askOneByOne(): Promise<void> {
    while (left-- > 0) {
      const stream = left % 2 === 0
      if (left % 4 < 2) expectRefusal(await bench.ask('dead/text', { stream }), 502, 'connect_failed')
      else expectGood(await bench.ask('sim/text', { stream }), stream, answerText())
    }
  }
  await Promise.all(Array.from({ length: 32 }, askOneByOne))
})
