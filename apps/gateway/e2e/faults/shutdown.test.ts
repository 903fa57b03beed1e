import { connect } from 'node:net'
import { once } from 'node:events'
import { startSimulator, answerText } from '@millrace/simulator'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { openChat, type LiveAnswer } from './chat-client.ts'
import { parseClientStream } from './client-stream.ts'
import { connectRaw, parseAnswers } from './raw-client.ts'
import { flooding, startRawServer } from './raw-server.ts'
import { within } from './start-bench.ts'

const PATIENT = { firstByte: '60s', idle: '60s', total: '60s' }

interface Pair {
  readonly gateway: RunningGateway
  readonly simulator: Awaited<ReturnType<typeof startSimulator>>
  open(model: string, stream?: boolean): LiveAnswer
  status(path: string): Promise<number>
}

async function startPair(drain: object): Promise<Pair> {
  const simulator = await startSimulator()
  const endless = await startRawServer(flooding('x'.repeat(16 * 1024)))
  const sim = { kind: 'openai', baseUrl: simulator.url, models: ['text'], timeouts: PATIENT }
  const gateway = await startGateway({
    server: { drain },
    stream: { commitAfter: '300ms', heartbeat: '1s' },
    providers: { sim, endless: { ...sim, baseUrl: `http://127.0.0.1:${endless.port}/v1` } },
  })
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]()
    await simulator.close()
    await endless[Symbol.asyncDispose]()
  })
  return {
    gateway,
    simulator,
    open: (model, stream = true) => openChat(gateway.baseUrl, model, { stream }),
    status: async path => (await fetch(`${gateway.origin}${path}`, { headers: { connection: 'close' } })).status,
  }
}

async function refusesConnections({ origin }: RunningGateway): Promise<boolean> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

describe('P1: a signal while streams are running', () => {
  test('not ready at once, new requests for a while, then none; what runs comes to its end', async () => {
    const { gateway, open, status, simulator } = await startPair({ delay: '800ms', timeout: '20s' })
    expect(await status('/readyz')).toBe(200)
    const running = Array.from({ length: 50 }, () => open('sim/text?pace=100'))
    const whole = open('sim/text?first=2000', false)
    await simulator.when(({ streamsOpen }) => streamsOpen === 51)

    gateway.signal('SIGTERM')
    await gateway.line(({ msg }) => String(msg).startsWith('draining'))
    expect(await status('/readyz')).toBe(503)
    expect(await status('/livez')).toBe(200)
    const late = await open('sim/text').whole
    expect(late.headers.connection).toBe('close')
    expect(parseClientStream(late.text)).toMatchObject({ content: answerText(), done: true })

    await expect.poll(() => refusesConnections(gateway), { timeout: 5000 }).toBe(true)
    for (const { whole } of running) {
      expect(parseClientStream((await whole).text)).toMatchObject({ content: answerText(), done: true })
    }
    expect(await whole.whole).toMatchObject({ status: 200, ended: true })
    expect(await within(5000, gateway.exited, () => 'It goes on.')).toBe(0)
    expect(gateway.log.filter(({ ending }) => ending === 'completed').length).toBeGreaterThanOrEqual(52)
  })

  test('a list that waits for an upstream comes to its end too', async () => {
    const silent = await startRawServer(() => undefined)
    const provider = { kind: 'openai', baseUrl: `http://127.0.0.1:${silent.port}/v1` }
    await using gateway = await startGateway({
      server: { drain: { delay: 0, timeout: '20s' } },
      providers: { provider },
    })
    const { socket, until, closed } = connectRaw(gateway.origin)
    // What came with it was read, when the first of the two is answered.
    socket.write('GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\nGET /v1/models HTTP/1.1\r\nhost: gateway\r\n\r\n')
    await until(received => received.includes('ok'))
    gateway.signal('SIGTERM')
    expect(parseAnswers(await closed)).toMatchObject([{ status: 200 }, { status: 200, whole: true }])
    expect(await within(8000, gateway.exited, () => 'It goes on.')).toBe(0)
    await silent[Symbol.asyncDispose]()
  })

  test('a connection that is kept open does not keep the gateway', async () => {
    const { gateway } = await startPair({ delay: 0, timeout: '20s' })
    const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1')
    socket.write('GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n')
    await once(socket, 'data')
    gateway.signal('SIGINT')
    expect(await within(5000, gateway.exited, () => 'It goes on.')).toBe(0)
    socket.destroy()
  })
})

describe('P2: streams that take too long', () => {
  test('each gets one error event, and its access line', async () => {
    const { gateway, open, simulator } = await startPair({ delay: 0, timeout: '700ms' })
    const running = Array.from({ length: 50 }, () => open('sim/text?pace=50&words=10000'))
    const waiting = open('sim/refuse-headers')
    const whole = open('sim/refuse-headers', false)
    await simulator.when(({ streamsOpen }) => streamsOpen === 52)
    await waiting.until(text => text !== '')
    await Promise.all(running.map(answer => answer.until(text => text.includes('river'))))
    const signalledAt = performance.now()
    gateway.signal('SIGTERM')
    for (const { whole } of running) {
      const { text, ended } = await whole
      expect(ended).toBe(true)
      const { content, error, done } = parseClientStream(text)
      expect(content.startsWith('the mill stands by the river')).toBe(true)
      expect(error).toMatchObject({ code: 'gateway_shutdown', type: 'overloaded_error', param: null })
      expect(done).toBe(false)
    }
    expect(parseClientStream((await waiting.whole).text)).toMatchObject({
      chunks: [],
      error: { code: 'gateway_shutdown' },
    })
    const refused = await whole.whole
    expect(refused.status).toBe(503)
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'gateway_shutdown' } })
    expect(performance.now() - signalledAt).toBeGreaterThanOrEqual(700)
    expect(await within(5000, gateway.exited, () => 'It goes on.')).toBe(0)
    const lines = gateway.log.filter(({ msg, ending }) => msg === 'request' && ending === 'gateway_shutdown')
    expect(lines).toHaveLength(52)
    expect(simulator.stats.streamsOpen).toBe(0)
  })

  test('a client that reads slowly is told all the same; one that does not read does not keep the gateway', async () => {
    const { gateway, open } = await startPair({ delay: 0, timeout: '500ms' })
    const slow = open('endless/text')
    const stuck = open('endless/text')
    for (const { response } of [slow, stuck]) (await response).pause()
    await gateway.line(({ msg }) => String(msg).startsWith('Server listening'))
    gateway.signal('SIGTERM')
    await gateway.line(({ msg }) => String(msg).startsWith('draining'))
    setTimeout(response => response.resume(), 900, await slow.response)
    const { text, ended } = await slow.whole
    expect(ended).toBe(true)
    expect(parseClientStream(text)).toMatchObject({ error: { code: 'gateway_shutdown' }, done: false })
    expect(await within(8000, gateway.exited, () => 'It goes on.')).toBe(0)
    stuck.request.destroy()
  })
})

test('a second signal ends at once', async () => {
  const { gateway, open } = await startPair({ delay: '20s', timeout: '20s' })
  const running = open('sim/text?pace=50&words=10000')
  await running.until(text => text.includes('river'))
  gateway.signal('SIGTERM')
  await gateway.line(({ msg }) => String(msg).startsWith('draining'))
  gateway.signal('SIGTERM')
  expect(await within(5000, gateway.exited, () => 'It goes on.')).toBe(130)
  expect((await running.whole).ended).toBe(false)
})
