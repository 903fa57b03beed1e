import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { startBlackHole } from './black-hole.ts'
import type { LogLine } from '../start-gateway.ts'
import type { LiveAnswer } from './chat-client.ts'
import { parseClientStream } from './client-stream.ts'
import { countDescriptors, readMemory } from './process-numbers.ts'
import { connectRaw, contentOf, parseAnswers, toChatBody, toRawRequest } from './raw-client.ts'
import { startBench } from './start-bench.ts'

const PATIENCE = { connect: '60s', firstByte: '60s', idle: '60s', total: '60s' }
const hole = await startBlackHole()
const bench = await startBench({
  stream: { commitAfter: '150ms' },
  clocks: { patient: PATIENCE },
  providers: {
    hole: { kind: 'openai', baseUrl: `http://127.0.0.1:${hole.port}/v1`, models: ['text'], timeouts: PATIENCE },
  },
})
const { gateway, simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(async () => {
  await bench.end()
  await hole[Symbol.asyncDispose]()
})

const HOW = ['close', 'reset'] as const
type How = (typeof HOW)[number]

/** How long the gateway may go on asking an upstream for nobody, milliseconds. */
const ABORT_MS = 250
const ROUNDS = 5

/** The access lines of the requests for this model so far. */
function linesOf(model: string): readonly LogLine[] {
  return gateway.log.filter(line => line['msg'] === 'request' && line['model'] === model)
}

async function leave({ request }: LiveAnswer, how: How): Promise<void> {
  if (request.socket === null) await once(request, 'socket')
  if (how === 'reset') request.socket!.resetAndDestroy()
  else request.socket!.destroy()
}

interface Phase {
  readonly name: string
  readonly model: string
  readonly stream?: boolean
  /** What the client has got before it leaves. */
  readonly got?: RegExp
}

const PHASES: readonly Phase[] = [
  { name: 'waiting for the headers', model: 'refuse-headers' },
  { name: 'waiting for the headers of a whole answer', model: 'refuse-headers', stream: false },
  { name: 'between headers and first event', model: 'stall?after=0' },
  { name: 'waiting, with heartbeats', model: 'refuse-headers', got: /^: keep-alive/ },
  { name: 'in mid-stream', model: 'text?pace=20&words=5000', got: /river/ },
  { name: 'in mid-stream, in silence', model: 'stall?after=5', got: /stands/ },
  { name: 'in the middle of folding a stream', model: 'sse?pace=20&words=5000', stream: false },
  { name: 'in the middle of a whole answer', model: 'stall', stream: false },
  { name: 'behind the finish, before [DONE]', model: 'stall?after=22', got: /comes/ },
]

describe.each(HOW)('C1: the client leaves (%s)', how => {
  test.each(PHASES)('$name: the upstream is let go at once', async ({ model, stream = true, got = /^/ }) => {
    const times: number[] = []
    const lines = linesOf(`patient/${model}`).length
    for (let round = 0; round < ROUNDS; round++) {
      const answer = bench.open(`patient/${model}`, { stream })
      await bench.upstream(stats => stats.streamsOpen === 1)
      await answer.until(text => got.test(text))
      await leave(answer, how)
      const leftAt = performance.timeOrigin + performance.now()
      await bench.upstream(stats => stats.streamsOpen === 0)
      times.push(simulator.stats.abortedAt! - leftAt)
    }
    await expect.poll(() => linesOf(`patient/${model}`).slice(lines), { timeout: 5000 }).toHaveLength(ROUNDS)
    for (const line of linesOf(`patient/${model}`).slice(lines)) {
      expect(line).toMatchObject({ status: 499, ending: 'aborted' })
    }
    expect(times.toSorted((a, b) => a - b)[ROUNDS >> 1]).toBeLessThan(ABORT_MS)
  })

  test('while the upstream is being connected', async () => {
    const lines = linesOf('hole/text').length
    const answer = bench.open('hole/text')
    // Heartbeats show that the gateway is at it.
    await answer.until(text => text !== '')
    await leave(answer, how)
    await expect
      .poll(() => linesOf('hole/text')[lines], { timeout: 5000 })
      .toMatchObject({ status: 499, ending: 'aborted' })
  })

  test('in the headers, and in the body: the upstream is not asked', async () => {
    const { requests } = simulator.stats
    const request = toRawRequest(toChatBody('patient/text'))
    for (const length of [20, request.indexOf('\r\n\r\n'), request.length - 10]) {
      const connection = connectRaw(gateway.origin)
      await once(connection.socket, 'connect')
      await new Promise(resolve => connection.socket.write(request.slice(0, length), resolve))
      if (how === 'reset') connection.socket.resetAndDestroy()
      else connection.socket.destroy()
      await connection.closed
    }
    await bench.expectCalm()
    expect(simulator.stats.requests).toBe(requests)
  })

  test('with several requests under way on one connection', async () => {
    const connection = connectRaw(gateway.origin)
    const request = toRawRequest(toChatBody('patient/text?pace=20&words=5000'))
    const lines = linesOf('patient/text?pace=20&words=5000').length
    connection.socket.write(request + request + request)
    await bench.upstream(stats => stats.streamsOpen === 3)
    await connection.until(received => received.includes('river'))
    if (how === 'reset') connection.socket.resetAndDestroy()
    else connection.socket.destroy()
    await bench.upstream(stats => stats.streamsOpen === 0)
    await expect.poll(() => linesOf('patient/text?pace=20&words=5000').slice(lines)).toHaveLength(3)
  })
})

/** Asks in HTTP/1.0 and has nothing more to say once it got that; resolves with all that came. */
async function askAndEnd(model: string, got: RegExp): Promise<string> {
  const connection = connectRaw(gateway.origin)
  connection.socket.write(toRawRequest(toChatBody(model)).replace('HTTP/1.1', 'HTTP/1.0'))
  await bench.upstream(stats => stats.streamsOpen === 1)
  await connection.until(received => got.test(received))
  connection.socket.end()
  return connection.closed
}

describe('C3: a client that has nothing more to say', () => {
  test.each([
    ['text', true],
    ['text?first=120', true],
    ['text?pace=8', true],
    ['text?first=120', false],
    ['sse?pace=8', false],
  ] as const)('gets its answer whole, 100 of 100: %s (stream: %s)', async (model, stream) => {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { socket, closed } = connectRaw(gateway.origin)
        socket.end(toRawRequest(toChatBody(`patient/${model}`, { stream })))
        const [answer, ...more] = parseAnswers(await closed)
        expect(more).toEqual([])
        expect(answer).toMatchObject({ status: 200, whole: true })
        expect(contentOf(answer!, stream)).toBe(answerText())
      }),
    )
  })

  test('has left, where it speaks HTTP/1.0 and has no status yet: that knows no interim answers', async () => {
    expect(await askAndEnd('patient/refuse-headers', /^/)).toBe('')
    const [answer] = parseAnswers(await askAndEnd('patient/text?pace=10', /river/))
    expect(answer!.headers['transfer-encoding']).toBeUndefined()
    expect(parseClientStream(answer!.body)).toMatchObject({ content: answerText(), done: true })
  })
})

/** The same numbers from 0 to 1 each time. */
function createRandom(): () => number {
  let state = 7
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

describe('C1: many clients leave at any moment', () => {
  const MODELS = [
    'text',
    'text?pace=3',
    'text?first=15',
    'refuse-headers',
    'stall',
    'tiny?count=20000',
    'gzip?words=50000',
    'text?size=2000&words=200000',
    'json',
    'reset',
    'error?status=500',
  ]

  // What the gateway itself still took for a call under way would keep it from ending at once behind all tests.
  test('nothing is left behind', { timeout: 120_000 }, async () => {
    const random = createRandom()
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
    async function comeAndGo(): Promise<void> {
      const answer = bench.open(`patient/${pick(MODELS)}`, { stream: random() < 0.7, onData: () => undefined })
      const how = pick(HOW)
      await sleep(random() * 40)
      await leave(answer, how)
      await answer.whole.catch(() => undefined)
    }
    async function repeat(times: number): Promise<void> {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          for (let left = times / 50; left > 0; left--) await comeAndGo()
        }),
      )
      await bench.upstream(stats => stats.streamsOpen === 0)
    }
    const open = async (): Promise<number> => (await countDescriptors(gateway.pid)) - simulator.stats.socketsOpen

    await repeat(500)
    const [descriptors, memory, { chats }, lines] = [
      await open(),
      await readMemory(gateway.pid),
      { ...simulator.stats },
      gateway.log.length,
    ]
    await repeat(2500)

    await expect.poll(open, { timeout: 5000 }).toBeLessThanOrEqual(descriptors + 5)
    expect((await readMemory(gateway.pid)) - memory).toBeLessThan(100 * 1024 * 1024)
    const told = gateway.log.slice(lines).filter(({ msg }) => msg === 'request')
    expect(told.length).toBeGreaterThanOrEqual(simulator.stats.chats - chats)
    const possible = ['aborted', 'completed', 'upstream_error', 'upstream_truncated']
    for (const { ending } of told) expect(possible).toContain(ending)
  })
})
