import type { Medians } from './figures.ts'

export interface Mark {
  readonly id: string
  readonly title: string
  readonly must: number
  readonly wanted: number
  readonly unit: '×' | 'KiB' | 'ms'
  /** Where more is better, such as for how much another gateway needs of what this one does. */
  readonly isFloor?: true
  /** Undefined where what it takes was not measured. */
  value(median: Medians): number | undefined
}

const toPipe = (load: string, figure: Parameters<Medians>[2]) => (median: Medians) =>
  ratio(median(load, 'millrace', figure), median(load, 'raw-pipe', figure))

/** What a way through the gateway costs, against chat over a server that speaks the OpenAI dialect. */
function toWay(subject: string, title: string, must: number): Mark {
  return {
    id: `ways ${subject}`,
    title: `ways: CPU per event, ${title} / chat over the OpenAI dialect`,
    must,
    wanted: must,
    unit: '×',
    value: median => ratio(median('ways', subject, 'cpuUs'), median('ways', 'millrace', 'cpuUs')),
  }
}

export const MARKS: readonly Mark[] = [
  {
    id: 'M1',
    title: 'paced: CPU per event / raw pipe',
    must: 0.9,
    wanted: 0.6,
    unit: '×',
    value: toPipe('paced', 'cpuUs'),
  },
  {
    id: 'M2',
    title: 'busy: CPU per event / raw pipe',
    must: 0.9,
    wanted: 0.7,
    unit: '×',
    value: toPipe('busy', 'cpuUs'),
  },
  {
    id: 'M3',
    title: 'batch: CPU per event / raw pipe',
    must: 1,
    wanted: 0.7,
    unit: '×',
    value: toPipe('batch', 'cpuUs'),
  },
  {
    id: 'M4 p50',
    title: 'paced: added first-token time, median / raw pipe',
    must: 1,
    wanted: 0.6,
    unit: '×',
    value: toPipe('paced', 'addedFirstP50Us'),
  },
  {
    id: 'M4 p99',
    title: 'paced: added first-token time, 99th percentile / raw pipe',
    must: 1,
    wanted: 0.6,
    unit: '×',
    value: toPipe('paced', 'addedFirstP99Us'),
  },
  {
    id: 'M5',
    title: 'paced: added gap, 99th percentile / raw pipe',
    must: 1,
    wanted: 0.6,
    unit: '×',
    value: toPipe('paced', 'addedGapP99Us'),
  },
  {
    id: 'M6',
    title: 'json: CPU per request / raw pipe',
    must: 1.3,
    wanted: 0.9,
    unit: '×',
    value: toPipe('json', 'cpuUs'),
  },
  {
    id: 'M7 2,000',
    title: 'open: memory per stream over the idle process',
    must: 40,
    wanted: 25,
    unit: 'KiB',
    value: median => median('open-2000', 'millrace', 'perStreamKiB'),
  },
  {
    id: 'M7 10,000',
    title: 'the same with 10,000 streams',
    must: 40,
    wanted: 25,
    unit: 'KiB',
    value: median => median('open-10000', 'millrace', 'perStreamKiB'),
  },
  {
    id: 'M8',
    title: 'wide: CPU per event / paced, with as many events a second',
    must: 1.1,
    wanted: 1,
    unit: '×',
    value: median => ratio(median('wide', 'millrace', 'cpuUs'), median('paced', 'millrace', 'cpuUs')),
  },
  {
    id: 'M9 200 KB',
    title: 'prompts: CPU per request / JSON.parse + JSON.stringify',
    must: 2,
    wanted: 0.5,
    unit: '×',
    value: toJson('prompts-200KB'),
  },
  {
    id: 'M9 2 MB',
    title: 'the same with 2 MB',
    must: 2,
    wanted: 0.5,
    unit: '×',
    value: toJson('prompts-2MB'),
  },
  {
    id: 'M10',
    title: 'leave: all upstream sockets closed after',
    must: 250,
    wanted: 50,
    unit: 'ms',
    value: median => median('leave', 'millrace', 'closedMs'),
  },
  {
    id: 'M11',
    title: "paced: Portkey's CPU per event / ours",
    must: 3,
    wanted: 5,
    unit: '×',
    isFloor: true,
    value: median => ratio(median('paced', 'portkey', 'cpuUs'), median('paced', 'millrace', 'cpuUs')),
  },
  toWay('qwen', 'Qwen', 1.1),
  toWay('amazon-q', 'Amazon Q', 2),
  toWay('responses', 'Responses', 1.5),
  toWay('messages', 'Messages', 1.5),
]

/** What is said of a value: `met`, or by how much it is missed, in the mark's unit and in percent of the limit. */
export function judge(value: number, limit: number, { isFloor, unit }: Pick<Mark, 'isFloor' | 'unit'>): string {
  const missed = isFloor ? limit - value : value - limit
  if (missed <= 0) return 'met'
  return `missed by ${toText(missed, unit)} (${Math.round((missed / limit) * 100)} %)`
}

/** A value or limit with as many digits as its unit deserves. */
export function toText(value: number, unit: Mark['unit']): string {
  return unit === '×' ? value.toFixed(2) : `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`
}

function toJson(load: string) {
  return (median: Medians) => ratio(median(load, 'millrace', 'cpuUs'), median(load, 'JSON', 'cpuUs'))
}

/** Undefined where there is nothing to divide by: a time that the raw pipe does not add cannot be compared with. */
function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined || base <= 0 ? undefined : value / base
}
