import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { LogLine } from '../start-gateway.ts'
import type { LiveAnswer } from './chat-client.ts'
import { expectStream } from './expectations.ts'
import { readMemory } from './process-numbers.ts'
import { flooding, startRawServer } from './raw-server.ts'
import { CLOCKS, startBench, within } from './start-bench.ts'

const MEBIBYTE = 1024 * 1024
const STALL_MS = 2000
/** What the system itself holds of the two connections of a stream that nobody reads. */
const IN_SOCKETS = 32 * MEBIBYTE

const endless = await startRawServer(flooding('x'.repeat(16 * 1024)))
const bench = await startBench({
  providers: {
    // The idle clock is shorter than the stall: it must not run while it is the client that holds everything up.
    endless: {
      kind: 'openai',
      baseUrl: `http://127.0.0.1:${endless.port}/v1`,
      models: ['text'],
      timeouts: { ...CLOCKS, total: '60s' },
    },
  },
})
const { gateway } = bench
afterEach(() => bench.expectCalm())
afterAll(async () => {
  await bench.end()
  await endless[Symbol.asyncDispose]()
})

/** Asks, and takes nothing of the answer but its head. */
async function openAndStop(model: string, stream = true): Promise<{ live: LiveAnswer; response: IncomingMessage }> {
  const live = bench.open(model, { stream, onData: () => undefined })
  const response = await live.response
  response.pause()
  return { live, response }
}

function lineOf({ headers }: IncomingMessage): Promise<LogLine> {
  const line = gateway.access(headers['x-request-id'] as string)
  return within(5 * STALL_MS, line, () => 'The client was not given up.')
}

/** Resolves when the upstream has been held up for a while: all on the way to the client is full. */
async function upstreamPaused(): Promise<void> {
  for (let before = -1; before !== endless.written;) {
    before = endless.written
    await sleep(300)
  }
}

/** Resolves when all streams of that upstream were let go. */
async function upstreamClosed(): Promise<void> {
  while (endless.open > 0) await sleep(20)
}

describe('C2: a client that does not read', () => {
  test('holds up its upstream, and is given up after the stall', async () => {
    const { written } = endless
    const { live, response } = await openAndStop('endless/text')
    await upstreamPaused()
    expect(endless.written - written).toBeLessThan(IN_SOCKETS)
    const line = await lineOf(response)
    expect(line).toMatchObject({ status: 499, ending: 'client_stall', estimated: true })
    expect(line['totalMs']).toBeGreaterThanOrEqual(STALL_MS)
    response.resume()
    expect((await live.whole).ended).toBe(false)
    await upstreamClosed()
  })

  test('costs little memory, and others do not notice', { timeout: 60_000 }, async () => {
    const count = 50
    const openAll = (): ReturnType<typeof openAndStop>[] =>
      Array.from({ length: count }, () => openAndStop('endless/text'))
    // The first time the process grows to what it needs to read so fast at all.
    const first = await Promise.all(openAll())
    await upstreamPaused()
    for (const { live } of first) live.request.destroy()
    await upstreamClosed()
    const before = await readMemory(gateway.pid)
    const stalled = await Promise.all(openAll())
    await upstreamPaused()
    expect((await readMemory(gateway.pid)) - before).toBeLessThan(count * 512 * 1024 + 48 * MEBIBYTE)
    for (let turn = 0; turn < 20; turn++) expectStream(await bench.ask('sim/text'), answerText())
    for (const { response } of stalled) {
      expect(await lineOf(response)).toMatchObject({ ending: 'client_stall' })
      response.destroy()
    }
    await upstreamClosed()
  })
})

describe.concurrent('C2: other ways not to read', () => {
  test('is given up with a whole answer too, and with the last piece of a stream', async () => {
    const models = [
      ['sim/big-event?as=sse&bytes=14000000', false],
      ['sim/big-event?bytes=14000000', true],
    ] as const
    const stalled = await Promise.all(models.map(([model, stream]) => openAndStop(model, stream)))
    for (const { response } of stalled) {
      expect(await lineOf(response)).toMatchObject({ status: 499, ending: 'client_stall' })
      response.destroy()
    }
  })

  test('whoever reads slowly may go on as long as it likes', { timeout: 60_000 }, async () => {
    let bytes = 0
    const live = bench.open('endless/text', { onData: piece => void (bytes += piece.length) })
    const response = await live.response
    // Each stop is shorter than the stall; all together they are longer.
    for (const began = performance.now(); performance.now() - began < 3 * STALL_MS;) {
      response.pause()
      await sleep(STALL_MS / 8)
      const enough = bytes + MEBIBYTE
      response.resume()
      await live.until(() => bytes >= enough)
    }
    expect(response.closed).toBe(false)
    live.request.destroy()
    expect(await lineOf(response)).toMatchObject({ ending: 'aborted' })
    await upstreamClosed()
  })
})
