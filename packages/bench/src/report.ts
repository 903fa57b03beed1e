import { createMedians, spreadOf, withAdded, type Figure, type Medians, type Result } from './figures.ts'
import type { Load } from './loads.ts'
import { judge, MARKS, toText } from './marks.ts'
import { toTable } from './table.ts'

interface Column {
  readonly title: string
  readonly figure: Figure
  /** The figure as text; undefined is a dash. */
  text(value: number): string
}

const NOTHING = '–'
/** Above this share of a core the load client or the upstream may be what is measured. */
const NARROW = 0.9
/** Below this share of the events that were to be sent, they have queued somewhere. */
const IN_TIME = 0.95

const toCount = (value: number): string => Math.round(value).toLocaleString('en')
const toShare = (value: number): string => `${Math.round(value * 100)} %`
const toMs = (us: number): string => (us / 1000).toFixed(Math.abs(us) < 10_000 ? 2 : 0)
const toAddedMs = (us: number): string => (us < 0 ? '' : '+') + toMs(us)
const toMiB = (kib: number): string => (kib / 1024).toFixed(0)

const CPU = { figure: 'cpuUs', text: (us: number) => us.toFixed(us < 100 ? 1 : 0) } as const
const CORE = { title: 'of a core', figure: 'core', text: toShare } as const
const ADDED_FIRST = [
  { figure: 'addedFirstP50Us', text: toAddedMs },
  { figure: 'addedFirstP99Us', text: toAddedMs },
] as const

const COLUMNS: Readonly<Record<Load['kind'], readonly Column[]>> = {
  streams: [
    { title: 'µs CPU/event', ...CPU },
    CORE,
    { title: 'events/s', figure: 'eventsPerSecond', text: toCount },
    { title: 'streams/s', figure: 'answersPerSecond', text: toCount },
    { title: 'first token p50 ms', ...ADDED_FIRST[0] },
    { title: 'p99 ms', ...ADDED_FIRST[1] },
    { title: 'gap p50 ms', figure: 'addedGapP50Us', text: toAddedMs },
    { title: 'p99 ms', figure: 'addedGapP99Us', text: toAddedMs },
  ],
  answers: [
    { title: 'µs CPU/request', ...CPU },
    CORE,
    { title: 'requests/s', figure: 'answersPerSecond', text: toCount },
    { title: 'answer p50 ms', ...ADDED_FIRST[0] },
    { title: 'p99 ms', ...ADDED_FIRST[1] },
  ],
  memory: [
    { title: 'KiB/stream', figure: 'perStreamKiB', text: value => value.toFixed(1) },
    { title: 'MiB idle', figure: 'idleKiB', text: toMiB },
    { title: 'MiB open', figure: 'openKiB', text: toMiB },
  ],
  leave: [{ title: 'ms until closed', figure: 'closedMs', text: value => value.toFixed(0) }],
}

/** Whole times of the line `direct`, on which all added ones are added. */
const WHOLE: Partial<Readonly<Record<Figure, Figure>>> = {
  addedFirstP50Us: 'firstP50Us',
  addedFirstP99Us: 'firstP99Us',
  addedGapP50Us: 'gapP50Us',
  addedGapP99Us: 'gapP99Us',
}

/** All that is to be read: a table for each load, then the marks. */
export function toReport(loads: readonly Load[], raw: readonly Result[]): string {
  const results = withAdded(raw)
  const median = createMedians(results)
  return [...loads.flatMap(load => toSection(load, results, median)), ...toMarks(median), '', ...toVersions(raw)].join(
    '\n',
  )
}

function toSection(load: Load, results: readonly Result[], median: Medians): readonly string[] {
  const own = results.filter(result => result.load === load.name)
  const [first, ...others] = COLUMNS[load.kind]
  const { comparedWith } = load
  const titles = [first!.title, '× raw pipe', ...(comparedWith ? [`× ${comparedWith}`] : []), '± rounds']
  const head = ['', ...titles, ...others.map(({ title }) => title)]
  const subjects = load.subjects.filter(name => own.some(({ subject }) => subject === name))
  const rows = subjects.map(name => {
    const cell = ({ figure, text }: Column): string => toCell(load, name, figure, text, median)
    const value = median(load.name, name, first!.figure)
    const times = (base: number | undefined): string => (value && base ? (value / base).toFixed(2) : NOTHING)
    const spread = spreadOf(own, load.name, name, first!.figure)
    const cells = [name, cell(first!), times(median(load.name, 'raw-pipe', first!.figure))]
    if (comparedWith) cells.push(times(median(comparedWith, name, first!.figure)))
    cells.push(spread === undefined ? NOTHING : toShare(spread / 2))
    return cells.concat(others.map(cell))
  })
  return ['', `${load.name}: ${load.title}`, '', ...toTable(head, rows), ...toNotes(load, own, median), '']
}

function toCell(load: Load, name: string, figure: Figure, text: (value: number) => string, median: Medians): string {
  const whole = WHOLE[figure]
  if (name === 'direct' && whole !== undefined) {
    const value = median(load.name, name, whole)
    return value === undefined ? NOTHING : toMs(value)
  }
  const value = median(load.name, name, figure)
  return value === undefined ? NOTHING : text(value)
}

function toNotes(load: Load, own: readonly Result[], median: Medians): readonly string[] {
  const failures = new Map<string, number>()
  for (const { subject, failure } of own) {
    if (failure === undefined) continue
    const note = `! ${subject}: ${failure}`
    failures.set(note, (failures.get(note) ?? 0) + 1)
  }
  const notes = [...failures].map(([note, count]) => (count > 1 ? `${note} (${count} times)` : note))
  const where = (isSo: (name: string) => boolean): string => load.subjects.filter(isSo).join(', ')

  const narrow = where(name =>
    (['upstreamCore', 'clientCore'] as const).some(figure => (median(load.name, name, figure) ?? 0) > NARROW),
  )
  if (narrow) notes.push(`  Load client or upstream had no time left (${narrow}): read CPU here, not times.`)

  const asked = load.kind === 'streams' ? (load.connections * load.batch * 1000) / load.paceMs : 0
  const late = where(name => (median(load.name, name, 'eventsPerSecond') ?? asked) < asked * IN_TIME)
  if (late) {
    notes.push(`  Not all of ${toCount(asked)} events/s (${late}): what queues is read at once, and costs less CPU.`)
  }
  return notes
}

function toMarks(median: Medians): readonly string[] {
  const rows = MARKS.map(mark => {
    const sign = mark.isFloor ? '≥' : '≤'
    const value = mark.value(median)
    const limit = (at: number): string => `${sign} ${toText(at, mark.unit)}`
    const verdict = (at: number): string => (value === undefined ? NOTHING : judge(value, at, mark))
    return [
      `${mark.id}  ${mark.title}`,
      value === undefined ? NOTHING : toText(value, mark.unit),
      limit(mark.must),
      verdict(mark.must),
      limit(mark.wanted),
      verdict(mark.wanted),
    ]
  })
  return ['', 'marks', '', ...toTable(['', 'value', 'must', '', 'wanted', ''], rows)]
}

function toVersions(results: readonly Result[]): readonly string[] {
  const versions = results.filter(({ version }) => version !== undefined)
  const names = new Set(versions.map(({ subject, version }) => `${subject} ${version}`))
  return [[`Node ${process.version}`, ...names].join(', ')]
}
