import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { startSimulator, type Simulator, type Stats } from '@millrace/simulator'
import { expect } from 'vitest'
import { startGateway, type LogLine, type RunningGateway } from '../start-gateway.ts'
import { openChat, type Answer, type AskOptions, type LiveAnswer } from './chat-client.ts'

/** The key that the gateway wants of its clients. */
export const KEY = 'test-key-of-a-client'
/** The key that the simulator wants of the gateway. */
export const UPSTREAM_KEY = 'test-key-of-the-gateway'

/** Short enough for tests, long enough for a busy machine. */
export const CLOCKS = { connect: '1s', firstByte: '1s', idle: '1s', total: '5s' } as const
const STREAM = { commitAfter: '500ms', heartbeat: '300ms', stall: '2s' } as const

/** How long anything may take to be over that ought to be over. */
const SETTLE_MS = 5000
const PROBE_EVERY_MS = 100
/** What most answers of `/livez` must keep; 50 ms for each of them (reliability.md §3) would be a test of this machine. */
const LIVE_WITHIN_MS = 100

/** An answer together with what the log says of it. */
export interface LoggedAnswer extends Answer {
  readonly line: LogLine
}

export interface Bench {
  readonly gateway: RunningGateway
  readonly simulator: Simulator
  /** Asks for a chat completion; the answer comes with its access line. */
  ask(model: string, options?: AskOptions): Promise<LoggedAnswer>
  /** The same, for clients that do not wait for the end. */
  open(model: string, options?: AskOptions): LiveAnswer
  /** Rejects where what the simulator is waited for does not happen within five seconds. */
  upstream(fits: (stats: Stats) => boolean): Promise<void>
  /** After each test: nothing is left open upstream, and the gateway has lived and answered all the time. */
  expectCalm(): Promise<void>
  /** After all tests: it is calm, the gateway ends at once when asked to, and what it has said holds no secret. */
  end(): Promise<void>
}

interface BenchOptions {
  /** Providers beside `sim`, the simulator. */
  readonly providers?: Readonly<Record<string, object>>
  /** Providers that are the simulator too, but with other clocks. */
  readonly clocks?: Readonly<Record<string, Partial<Record<keyof typeof CLOCKS, string>>>>
  readonly stream?: Readonly<Record<string, unknown>>
  readonly server?: object
}

/** The gateway with short clocks, the simulator behind it, and a watch on whether it lives. */
export async function startBench({ providers, clocks, stream, server }: BenchOptions = {}): Promise<Bench> {
  const simulator = await startSimulator({ apiKey: UPSTREAM_KEY })
  const simulated = (timeouts: object): object => ({
    kind: 'openai',
    baseUrl: simulator.url,
    apiKey: UPSTREAM_KEY,
    models: ['text'],
    timeouts: { ...CLOCKS, ...timeouts },
  })
  const gateway = await startGateway({
    auth: { keys: [KEY] },
    server: { drain: { delay: 0, timeout: '20s' }, ...server },
    stream: { ...STREAM, ...stream },
    providers: {
      sim: simulated({}),
      ...Object.fromEntries(Object.entries(clocks ?? {}).map(([name, limits]) => [name, simulated(limits)])),
      ...providers,
    },
  })
  const watch = watchLife(gateway.origin)

  function open(model: string, { headers, ...options }: AskOptions = {}): LiveAnswer {
    return openChat(gateway.baseUrl, model, { ...options, headers: { authorization: `Bearer ${KEY}`, ...headers } })
  }

  function upstream(fits: (stats: Stats) => boolean): Promise<void> {
    return within(
      SETTLE_MS,
      simulator.when(fits),
      () => `Upstream that did not happen: ${JSON.stringify(simulator.stats)}`,
    )
  }

  async function expectCalm(): Promise<void> {
    await upstream(stats => stats.streamsOpen === 0)
    await watch.expectLife()
    expect(gateway.errors()).not.toMatch(/warning|error|unhandled|exception/i)
  }

  return {
    gateway,
    simulator,
    open,
    async ask(model, options) {
      const answer = await open(model, options).whole
      const line = await gateway.access(answer.headers['x-request-id'] as string)
      return { ...answer, line }
    },
    upstream,
    expectCalm,
    async end() {
      await expectCalm()
      watch.stop()
      expect(watch.medianMs).toBeLessThan(LIVE_WITHIN_MS)
      gateway.signal('SIGTERM')
      const ended = within(SETTLE_MS, gateway.exited, () => 'The gateway does not end: something is still under way.')
      await expect(ended).resolves.toBe(0)
      await upstream(stats => stats.socketsOpen === 0)
      await simulator.close()
      for (const text of [JSON.stringify(gateway.log), gateway.errors()]) {
        for (const secret of [KEY, UPSTREAM_KEY]) expect(text).not.toContain(secret)
      }
      const ids = gateway.log.flatMap(({ msg, requestId }) => (msg === 'request' ? [requestId] : []))
      expect(new Set(ids).size).toBe(ids.length)
      await gateway[Symbol.asyncDispose]()
    },
  }
}

/** The promise, or an error with those words after so many milliseconds. */
export async function within<Value>(ms: number, promise: Promise<Value>, words: () => string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(words())), ms)))
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

interface Watch {
  /** Asks once more. @throws {Error} where that, or any earlier question, was not answered as it should be */
  expectLife(): Promise<void>
  /** Half of all answers so far came within so many milliseconds. */
  readonly medianMs: number
  stop(): void
}

/** Asks again and again whether the gateway lives. */
function watchLife(origin: string): Watch {
  const agent = new Agent({ keepAlive: true })
  const times: number[] = []
  const failures: unknown[] = []

  async function probe(): Promise<void> {
    const began = performance.now()
    const sent = get(`${origin}/livez`, { agent })
    try {
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      times.push(performance.now() - began)
      if (response.statusCode !== 200) failures.push(response.statusCode)
      await once(response.resume(), 'end')
    } catch (error) {
      failures.push(error)
    }
  }

  const timer = setInterval(probe, PROBE_EVERY_MS)
  return {
    async expectLife() {
      await within(SETTLE_MS, probe(), () => '/livez does not answer.')
      expect(failures).toEqual([])
    },
    get medianMs() {
      return times.toSorted((a, b) => a - b)[times.length >> 1]!
    },
    stop() {
      clearInterval(timer)
      agent.destroy()
    },
  }
}
