import { setTimeout as sleep } from 'node:timers/promises'
import { nowUs } from './clock.ts'
import { readMemoryKiB } from './cpu.ts'
import type { Figures } from './figures.ts'
import type { JsonCostCalls } from './json-cost.ts'
import { launchWorker, type Worker } from './launch.ts'
import type { Crowd, LoadClientCalls, Measured } from './load-client.ts'
import type { AskingLoad, Load } from './loads.ts'
import type { Started } from './subjects/subject.ts'
import type { UpstreamCalls } from './upstream.ts'

/** The processes around what is measured. */
export interface Bench {
  readonly upstream: Worker<UpstreamCalls>
  readonly client: Worker<LoadClientCalls>
  readonly json: Worker<JsonCostCalls>
  /** Each load is measured for that share of its time. */
  readonly timeShare: number
}

export const LOAD_CLIENT = new URL('load-client.ts', import.meta.url)

/** How long a load may take to be over once its clients have left. */
const CLOSE_TIMEOUT_MS = 10_000
/** For what a server does behind closed connections. */
const REST_MS = 150
/** How long many streams stay open before their memory counts. */
const STAY_MS = 3000
const SMALL_PROMPT_BYTES = 1500
/** Longer than any load lasts. */
const ENDLESS_EVENTS = 1_000_000
/** What a server that has just started does first, so that none of it is counted. */
const WARM_UP = { connections: 40, stream: true, events: 100, promptBytes: SMALL_PROMPT_BYTES }

/** One load on one server. @throws {Error} why there are no figures */
export async function measure(bench: Bench, load: Load, server: Started): Promise<Figures> {
  await bench.upstream.call('pace', load)
  const figures = await measureKind(bench, load, server)
  await sleep(REST_MS)
  return figures
}

function measureKind(bench: Bench, load: Load, server: Started): Promise<Figures> {
  if ('seconds' in load) return measureAsking(bench, load, server)
  return load.kind === 'memory' ? measureMemory(bench, load, server) : measureLeave(bench, load, server)
}

/** What parsing and writing the prompts of a load costs. */
export async function measureJson({ json, timeShare }: Bench, load: Load): Promise<Figures> {
  if (!('promptBytes' in load)) return {}
  const milliseconds = load.seconds * timeShare * 500
  return { cpuUs: await json.call('cost', { promptBytes: load.promptBytes, milliseconds }) }
}

/** Lets a server answer both kinds of requests. @throws {Error} what it does wrong */
export async function warmUp(bench: Bench, server: Started, milliseconds: number): Promise<void> {
  await bench.upstream.call('pace', { paceMs: 5, batch: 1 })
  for (const stream of [true, false]) {
    const { failures, failure } = await run(bench, { ...WARM_UP, stream, target: server.target }, server, milliseconds)
    if (failures > 0) throw new Error(failure)
  }
}

async function measureAsking(bench: Bench, load: AskingLoad, server: Started): Promise<Figures> {
  const stream = load.kind === 'streams'
  const { connections, events, promptBytes } = load
  const crowd = { target: server.target, stream, connections, events, promptBytes }
  const measured = await run(bench, crowd, server, load.seconds * bench.timeShare * 1000)
  if (measured.failures > 0) throw new Error(`${measured.failures} answers failed: ${measured.failure}`)
  return toFigures(measured, stream, server)
}

async function run(bench: Bench, crowd: Crowd, server: Started, milliseconds: number): Promise<Measured> {
  const watched = { subject: server.pids, upstream: [bench.upstream.pid] }
  const measured = await bench.client.call('run', { crowd, watched, milliseconds })
  await idle(bench)
  return measured
}

function toFigures(measured: Measured, stream: boolean, { pids }: Started): Figures {
  const { wallMs, events, answers, first, transit } = measured
  const units = stream ? events : answers
  return definedOf({
    cpuUs: pids.length > 0 && units > 0 ? (measured.cpuMs * 1000) / units : undefined,
    core: pids.length > 0 ? measured.cpuMs / wallMs : undefined,
    upstreamCore: measured.upstreamCpuMs / wallMs,
    clientCore: measured.clientCpuMs / wallMs,
    eventsPerSecond: stream ? (events * 1000) / wallMs : undefined,
    answersPerSecond: (answers * 1000) / wallMs,
    firstP50Us: first[0],
    firstP99Us: first[1],
    gapP50Us: transit[0],
    gapP99Us: transit[1],
  })
}

function definedOf(figures: { readonly [Name in keyof Figures]: number | undefined }): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined))
}

async function measureMemory(bench: Bench, load: Load, server: Started): Promise<Figures> {
  const idleKiB = readMemoryKiB(server.pids)
  const clients = await launchStaying(load, server)
  await sleep(STAY_MS * bench.timeShare)
  const openKiB = readMemoryKiB(server.pids)
  await clients.stop()
  await idle(bench)
  return { idleKiB, openKiB, perStreamKiB: (openKiB - idleKiB) / load.connections }
}

async function measureLeave(bench: Bench, load: Load, server: Started): Promise<Figures> {
  const clients = await launchStaying(load, server)
  await sleep(REST_MS)
  const leftUs = nowUs()
  await clients.stop()
  return { closedMs: ((await idle(bench)) - leftUs) / 1000 }
}

/** Clients in a process of their own: when it is killed, the system closes all their connections at once. */
async function launchStaying({ connections }: Load, { target }: Started): Promise<Worker<LoadClientCalls>> {
  const clients = await launchWorker<LoadClientCalls>(LOAD_CLIENT)
  const shape = { stream: true, promptBytes: SMALL_PROMPT_BYTES, events: ENDLESS_EVENTS }
  try {
    await clients.call('stay', { ...shape, target, connections })
    return clients
  } catch (error) {
    await clients.stop()
    throw error
  }
}

/** When the upstream's last stream closed, microseconds. @throws {Error} some do not close */
async function idle({ upstream }: Bench): Promise<number> {
  const timeout = new AbortController()
  try {
    return await Promise.race([
      upstream.call('idle', undefined),
      sleep(CLOSE_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
        throw new Error('the upstream still has open streams 10 s after the clients have left')
      }),
    ])
  } finally {
    timeout.abort()
  }
}
