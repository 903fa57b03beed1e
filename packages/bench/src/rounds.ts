import type { Result } from './figures.ts'
import type { Load } from './loads.ts'
import { measure, measureJson, warmUp, type Bench } from './measure.ts'
import type { Place, Started, Subject } from './subjects/subject.ts'

export interface Plan {
  readonly loads: readonly Load[]
  readonly subjects: readonly Subject[]
  readonly rounds: number
  readonly place: Place
}

/** Long enough for the engine to have compiled what is hot. */
const WARM_UP_MS = 2000
/** For a server that is there for one load, whose time nobody looks at. */
const BRIEF_WARM_UP_MS = 700

/**
 * Every load on every subject, again in each round, the subjects one right after the other: what the machine does
 * besides then hits all of them. The servers stay up, warm, from one load to the next.
 */
export async function* runRounds(bench: Bench, plan: Plan): AsyncGenerator<Result> {
  const servers = new Map<string, Started>()
  const unstartable = new Map<string, string>()

  async function start(subject: Subject, warmUpMs = WARM_UP_MS): Promise<Started> {
    const reason = unstartable.get(subject.name)
    if (reason !== undefined) throw new Error(reason)
    let server: Started | undefined
    try {
      server = await subject.start(plan.place)
      await warmUp(bench, server, warmUpMs * bench.timeShare)
      return server
    } catch (error) {
      await server?.stop()
      unstartable.set(subject.name, (error as Error).message)
      throw error
    }
  }

  async function measureOn(subject: Subject, load: Load): Promise<Pick<Result, 'figures' | 'version'>> {
    if (load.kind === 'memory') {
      // What was needed before is not given back to the system, so this takes a server that has done nothing yet.
      const server = await start(subject, BRIEF_WARM_UP_MS)
      try {
        return { figures: await measure(bench, load, server), version: server.version }
      } finally {
        await server.stop()
      }
    }
    const server = servers.get(subject.name) ?? (await start(subject))
    servers.set(subject.name, server)
    try {
      return { figures: await measure(bench, load, server), version: server.version }
    } catch (error) {
      // Whatever has happened to it, the next load gets a fresh one.
      servers.delete(subject.name)
      await server.stop()
      throw error
    }
  }

  try {
    for (let round = 1; round <= plan.rounds; round++) {
      for (const load of plan.loads) {
        for (const subject of rotated(plan.subjects, round)) {
          if (!load.subjects.includes(subject.name)) continue
          const head = { round, load: load.name, subject: subject.name }
          yield await measureOn(subject, load).then(
            measured => ({ ...head, ...measured }),
            (error: Error) => ({ ...head, figures: {}, failure: error.message }),
          )
        }
        if (load.subjects.includes('JSON')) {
          yield { round, load: load.name, subject: 'JSON', figures: await measureJson(bench, load) }
        }
      }
    }
  } finally {
    for (const server of servers.values()) await server.stop()
  }
}

/** Somebody else begins in each round: to be the first after a change of load may be an advantage. */
function rotated<Value>(values: readonly Value[], by: number): readonly Value[] {
  const at = by % values.length
  return [...values.slice(at), ...values.slice(0, at)]
}
