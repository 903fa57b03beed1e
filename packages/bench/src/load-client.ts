// A process of its own: the clients of the server that is measured, and the one who reads the clocks.
import { nowUs } from './clock.ts'
import { createConnection, type Connection } from './connection.ts'
import { readCpuMs } from './cpu.ts'
import { DIALECTS } from './dialects.ts'
import { createEventReader, type EventHandlers } from './event-reader.ts'
import { answerCalls } from './launch.ts'
import { percentiles } from './percentiles.ts'
import type { PromptShape } from './prompts.ts'
import { createRequests, type Target } from './target.ts'

/** Clients that each send a request, read the answer and send the next one. */
export interface Crowd extends Omit<PromptShape, 'model'> {
  readonly target: Target
  readonly connections: number
  /** Events with text in each stream. */
  readonly events: number
}

export interface Watched {
  /** The server that is measured, none where it is the upstream itself. */
  readonly subject: readonly number[]
  readonly upstream: readonly number[]
}

/** What happened while the clocks ran. Times in microseconds but where the name says otherwise. */
export interface Measured {
  readonly wallMs: number
  readonly cpuMs: number
  readonly upstreamCpuMs: number
  readonly clientCpuMs: number
  readonly events: number
  readonly answers: number
  /** From the request to the end of the first event, or to the end of a whole answer: median and 99th percentile. */
  readonly first: readonly (number | undefined)[]
  /** From the upstream's write of an event to its last byte here: median and 99th percentile. */
  readonly transit: readonly (number | undefined)[]
  /** Answers that were not what was asked for, and what the first of them was instead. */
  readonly failures: number
  readonly failure?: string
}

/** As many connections as may wait for their first answer at once: more at a time would not fit a server's backlog. */
const OPENING = 100
const OPENING_TIMEOUT_MS = 60_000
/** Between the first answers and the clocks. */
const SETTLE_MS = 300
const BEGINNING_LENGTH = 200
const SHARES = [0.5, 0.99]

function createMeter() {
  const first: number[] = []
  const transit: number[] = []
  let running = false
  let events = 0
  let answers = 0
  let failures = 0
  let failure: string | undefined

  return {
    first(us: number): void {
      if (running) first.push(us)
    },
    event(us: number): void {
      if (!running) return
      events++
      transit.push(us)
    },
    answer(): void {
      if (running) answers++
    },
    failed(reason: string): void {
      failures++
      failure ??= reason
    },
    /** How many answers were none, and what the first of them was instead. */
    failures: () => ({ failures, ...(failure === undefined ? undefined : { failure }) }),
    async run(milliseconds: number, { subject, upstream }: Watched): Promise<Measured> {
      const read = () => ({
        at: nowUs() / 1000,
        cpu: readCpuMs(subject),
        upstream: readCpuMs(upstream),
        client: readCpuMs([process.pid]),
      })
      const from = read()
      running = true
      await sleep(milliseconds)
      running = false
      const to = read()
      return {
        wallMs: to.at - from.at,
        cpuMs: to.cpu - from.cpu,
        upstreamCpuMs: to.upstream - from.upstream,
        clientCpuMs: to.client - from.client,
        events,
        answers,
        first: percentiles(first, SHARES),
        transit: percentiles(transit, SHARES),
        ...this.failures(),
      }
    },
  }
}

type Meter = ReturnType<typeof createMeter>

/** One client; `began` is told of its first answer, or of its first failure. */
function createClient(crowd: Crowd, requests: (events: number) => Buffer, meter: Meter, began: () => void) {
  let sentUs = 0
  let asked = 0
  let seen = 0
  let isDone = false
  /** How the body begins, for those that are no answer. */
  let beginning = ''

  const handlers: EventHandlers = {
    stamped(writtenUs) {
      const us = nowUs()
      if (seen++ === 0) {
        meter.first(us - sentUs)
        began()
      }
      meter.event(us - writtenUs)
    },
    done: () => (isDone = true),
  }
  const readEvents = createEventReader(handlers, DIALECTS[crowd.target.dialect ?? 'chat'])

  const connection: Connection = createConnection(crowd.target.port, {
    body(text) {
      beginning ||= text.slice(0, BEGINNING_LENGTH)
      if (crowd.stream) readEvents(text)
    },
    end(status) {
      if (status !== 200) failed(`status ${status}: ${beginning}`)
      else if (crowd.stream && !(isDone && seen === asked))
        failed(`${seen} of ${asked} events, the last one: ${isDone}`)
      else {
        if (!crowd.stream) meter.first(nowUs() - sentUs)
        meter.answer()
        began()
        ask(crowd.events)
      }
    },
    failed,
  })

  function failed(reason: string): void {
    meter.failed(reason)
    began()
    // A server that only fails is not asked again and again.
    if (meter.failures().failures < crowd.connections) ask(crowd.events)
  }

  function ask(events: number): void {
    asked = events
    seen = 0
    isDone = false
    beginning = ''
    sentUs = nowUs()
    connection.send(requests(events))
  }

  return { ask, close: connection.close }
}

/**
 * Lets all of them begin, and resolves when each has had an answer. The first streams are of all lengths up to the full
 * one, so that from then on streams end and begin evenly.
 */
async function openAll(crowd: Crowd, meter: Meter): Promise<() => void> {
  const requests = createRequests(crowd.target, crowd)
  const clients: { close(): void }[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let begun = 0

  function openNext(): void {
    if (clients.length === crowd.connections) return
    const share = (clients.length + 1) / crowd.connections
    let isFirst = true
    const client = createClient(crowd, requests, meter, () => {
      if (!isFirst) return
      isFirst = false
      if (++begun === crowd.connections) resolve()
      openNext()
    })
    clients.push(client)
    client.ask(Math.ceil(crowd.events * share))
  }

  const closeAll = (): void => {
    for (const client of clients) client.close()
  }
  const timeout = setTimeout(
    () => reject(new Error(`only ${begun} of ${crowd.connections} clients had an answer`)),
    OPENING_TIMEOUT_MS,
  )
  for (let count = Math.min(OPENING, crowd.connections); count > 0; count--) openNext()
  try {
    await promise
    return closeAll
  } catch (error) {
    closeAll()
    throw error
  } finally {
    clearTimeout(timeout)
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

const calls = {
  /** Clients come, are measured for a while once all have had an answer, and leave. */
  async run(input: { crowd: Crowd; watched: Watched; milliseconds: number }): Promise<Measured> {
    const meter = createMeter()
    const closeAll = await openAll(input.crowd, meter)
    await sleep(SETTLE_MS)
    const measured = await meter.run(input.milliseconds, input.watched)
    closeAll()
    return measured
  },
  /** Clients come, and stay as long as this process lives. */
  async stay(crowd: Crowd): Promise<void> {
    const meter = createMeter()
    await openAll(crowd, meter)
    const { failures, failure } = meter.failures()
    if (failures > 0) throw new Error(`${failures} of ${crowd.connections} clients got no answer: ${failure}`)
  },
}

export type LoadClientCalls = typeof calls

answerCalls(calls)
