import { median } from './percentiles.ts'

/** What is measured. Times of first events and gaps are those of the whole way, client to upstream and back. */
export interface Figures {
  /** Processor time for an event with text, or for a whole answer, microseconds. */
  readonly cpuUs?: number
  /** Share of one core that the server took. */
  readonly core?: number
  /** The same for the two that measure it: near 1, they are what is measured. */
  readonly upstreamCore?: number
  readonly clientCore?: number
  readonly eventsPerSecond?: number
  readonly answersPerSecond?: number
  /** Request to first event, or to the end of a whole answer, microseconds. */
  readonly firstP50Us?: number
  readonly firstP99Us?: number
  /** Last byte of an event out of the upstream to last byte at the client, microseconds. */
  readonly gapP50Us?: number
  readonly gapP99Us?: number
  /** What of these four the server between adds: they, less what they are without one in the same round. */
  readonly addedFirstP50Us?: number
  readonly addedFirstP99Us?: number
  readonly addedGapP50Us?: number
  readonly addedGapP99Us?: number
  /** Memory of the server, KiB: with nothing to do, with many streams open, and what lies between for each of them. */
  readonly idleKiB?: number
  readonly openKiB?: number
  readonly perStreamKiB?: number
  /** From the first client's leaving to the end of the last upstream connection, milliseconds. */
  readonly closedMs?: number
}

export type Figure = keyof Figures

/** One load on one subject in one round. */
export interface Result {
  readonly round: number
  readonly load: string
  readonly subject: string
  readonly figures: Figures
  /** Of what was measured, where it is not of this project. */
  readonly version?: string | undefined
  /** Why there are no figures, or what went wrong beside them. */
  readonly failure?: string
}

/** Looks up the median of a figure over all rounds; undefined where it was not measured. */
export type Medians = (load: string, subject: string, figure: Figure) => number | undefined

const ADDED = [
  ['firstP50Us', 'addedFirstP50Us'],
  ['firstP99Us', 'addedFirstP99Us'],
  ['gapP50Us', 'addedGapP50Us'],
  ['gapP99Us', 'addedGapP99Us'],
] as const satisfies readonly (readonly [Figure, Figure])[]

/** The same results with the added times, where the round has some without a server between to compare with. */
export function withAdded(results: readonly Result[]): readonly Result[] {
  return results.map(result => {
    if (result.subject === 'direct') return result
    const direct = results.find(
      ({ round, load, subject }) => round === result.round && load === result.load && subject === 'direct',
    )
    const added: Partial<Record<Figure, number>> = {}
    for (const [whole, more] of ADDED) {
      const own = result.figures[whole]
      const base = direct?.figures[whole]
      if (own !== undefined && base !== undefined) added[more] = own - base
    }
    return { ...result, figures: { ...result.figures, ...added } }
  })
}

export function createMedians(results: readonly Result[]): Medians {
  return (load, subject, figure) => median(valuesOf(results, load, subject, figure))
}

/** How far the rounds lie apart: from the smallest to the largest value, as a share of their median. */
export function spreadOf(
  results: readonly Result[],
  load: string,
  subject: string,
  figure: Figure,
): number | undefined {
  const values = valuesOf(results, load, subject, figure)
  const middle = median(values)
  return middle ? (Math.max(...values) - Math.min(...values)) / middle : undefined
}

function valuesOf(results: readonly Result[], load: string, subject: string, figure: Figure): readonly number[] {
  return results
    .filter(result => result.load === load && result.subject === subject)
    .map(({ figures }) => figures[figure])
    .filter(value => value !== undefined)
}
