import { readFileLimit } from './cpu.ts'
import type { Pace } from './upstream.ts'

interface LoadBasis {
  readonly name: string
  /** What is asked for, in a few words. */
  readonly title: string
  readonly connections: number
  /** Who takes part. */
  readonly subjects: readonly Participant[]
  /** A load of the same kind whose cost is compared with the one of this. */
  readonly comparedWith?: string
  /** Left out unless everything is asked for. */
  readonly isExtra?: true
}

/** Clients that ask again and again, measured over a while. */
export interface AskingLoad extends LoadBasis, Pace {
  readonly kind: 'streams' | 'answers'
  /** Events with text in each stream. */
  readonly events: number
  readonly promptBytes: number
  readonly seconds: number
}

/** Streams that stay open, with an event now and then: their memory, or what happens when all clients leave at once. */
interface StayingLoad extends LoadBasis, Pace {
  readonly kind: 'memory' | 'leave'
}

export type Load = AskingLoad | StayingLoad

export type SubjectName = 'direct' | 'nginx' | 'raw-pipe' | WayName | 'portkey'

/** Ways through this gateway: `millrace` is chat over a server that speaks the OpenAI dialect. */
type WayName = 'millrace' | 'responses' | 'messages' | 'qwen' | 'amazon-q'

/** `JSON` is no server: the price of parsing the body of the request and writing it again. */
type Participant = SubjectName | 'JSON'

const SERVERS = ['nginx', 'raw-pipe', 'millrace'] as const
const WITH_DIRECT = ['direct', ...SERVERS] as const
const WAYS = ['raw-pipe', 'millrace', 'responses', 'messages', 'qwen', 'amazon-q'] as const
const EVERYBODY = [...WITH_DIRECT, 'portkey'] as const

const STREAMS = { kind: 'streams', paceMs: 5, batch: 1, events: 100, promptBytes: 1500, seconds: 3 } as const
const ANSWERS = { kind: 'answers', paceMs: 5, batch: 1, events: 1, promptBytes: 1500, seconds: 3 } as const
const ONE_A_SECOND = { paceMs: 1000, batch: 1 } as const

/** Each stream takes two files of the server between; some are needed for other things. */
const MOST_STREAMS = Math.floor((readFileLimit() - 256) / 2)
const MANY = Math.min(10_000, MOST_STREAMS)

export const LOADS: readonly Load[] = [
  {
    ...STREAMS,
    name: 'paced',
    title: '40 streams, one event a write, 5 ms apart',
    connections: 40,
    subjects: EVERYBODY,
  },
  {
    ...STREAMS,
    name: 'ways',
    title: 'the streams of paced, in other dialects and over other providers',
    connections: 40,
    subjects: WAYS,
  },
  {
    ...STREAMS,
    name: 'busy',
    title: '200 streams, one event a write, 5 ms apart',
    connections: 200,
    subjects: EVERYBODY,
  },
  {
    ...STREAMS,
    name: 'batch',
    title: '20 streams, 8 events a write, 5 ms apart',
    connections: 20,
    batch: 8,
    events: 800,
    subjects: EVERYBODY,
  },
  {
    ...ANSWERS,
    name: 'json',
    title: '32 connections, whole answers',
    connections: 32,
    subjects: EVERYBODY,
  },
  {
    ...STREAMS,
    name: 'wide',
    title: '1,000 streams, one event a write, 125 ms apart: as many events a second as paced',
    connections: 1000,
    paceMs: 125,
    subjects: WITH_DIRECT,
    comparedWith: 'paced',
  },
  {
    ...ANSWERS,
    name: 'prompts-200KB',
    title: '4 connections, prompts of 200 KB',
    connections: 4,
    promptBytes: 200_000,
    seconds: 1.5,
    subjects: [...WITH_DIRECT, 'JSON'],
  },
  {
    ...ANSWERS,
    name: 'prompts-2MB',
    title: '2 connections, prompts of 2 MB',
    connections: 2,
    promptBytes: 2_000_000,
    seconds: 1.5,
    subjects: [...WITH_DIRECT, 'JSON'],
  },
  {
    ...ONE_A_SECOND,
    kind: 'memory',
    name: 'open-2000',
    title: '2,000 open streams, one event a second',
    connections: Math.min(2000, MOST_STREAMS),
    subjects: SERVERS,
  },
  {
    ...ONE_A_SECOND,
    kind: 'memory',
    name: 'open-10000',
    title:
      MANY === 10_000
        ? '10,000 open streams, one event a second'
        : `${MANY.toLocaleString('en')} open streams (10,000 are over the limit of open files), one event a second`,
    connections: MANY,
    subjects: SERVERS,
    isExtra: true,
  },
  {
    ...ONE_A_SECOND,
    kind: 'leave',
    name: 'leave',
    title: '1,000 clients leave at once',
    connections: 1000,
    subjects: WITH_DIRECT,
  },
]

/** The loads of that name, or whose name begins with it: `open`, `prompts`. */
export function findLoads(names: readonly string[]): readonly Load[] {
  return names.flatMap(name => {
    const found = LOADS.filter(load => load.name === name || load.name.startsWith(`${name}-`))
    if (found.length === 0)
      throw new Error(`There is no load ${name}; there are: ${LOADS.map(({ name }) => name).join(', ')}`)
    return found
  })
}
