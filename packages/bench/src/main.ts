// `pnpm bench`: this gateway beside others, interleaved in rounds over one upstream; see the README beside it.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Result } from './figures.ts'
import type { JsonCostCalls } from './json-cost.ts'
import { launchWorker, stopAll } from './launch.ts'
import type { LoadClientCalls } from './load-client.ts'
import { findLoads, LOADS, type Load } from './loads.ts'
import { LOAD_CLIENT, type Bench } from './measure.ts'
import { toReport } from './report.ts'
import { runRounds } from './rounds.ts'
import { direct } from './subjects/direct.ts'
import { millraces } from './subjects/millrace.ts'
import { nginx } from './subjects/nginx.ts'
import { portkey } from './subjects/portkey.ts'
import { rawPipe } from './subjects/raw-pipe.ts'
import type { Subject } from './subjects/subject.ts'
import type { UpstreamCalls } from './upstream.ts'

/** Processes that wait for a core, on average over a minute, when something else runs on the machine. */
const BUSY = 0.5
const INTERRUPTED = 130
const SUBJECTS: readonly Subject[] = [direct, nginx, rawPipe, ...millraces, portkey]

const USAGE = `Measures the gateway beside a raw Node pipe, nginx and others, and holds the figures against the marks.

  --rounds N        how often everything is measured; the tables show medians (5)
  --only A,B        only these loads: ${LOADS.map(({ name }) => name).join(', ')}
  --subjects A,B    only these: ${SUBJECTS.map(({ name }) => name).join(', ')}
  --portkey         Portkey's gateway too, installed from npm for the time of the run
  --full            10,000 open streams too
  --quick           one short round: does everything work?
  --help            this text
`

const { values } = parseArgs({
  args: process.argv.slice(2).filter(argument => argument !== '--'), // pnpm hands it on
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    subjects: { type: 'string' },
    portkey: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Where the raw rounds are kept, one line of JSON for each measurement. */
const RESULTS = new URL('../../../bench-results/', import.meta.url)
const ROUNDS = 5
/** Of each load's time, in a quick round. */
const QUICK_SHARE = 1 / 3

async function main(): Promise<void> {
  const [loadBefore = 0] = loadavg()
  const loads = chosenLoads()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(INTERRUPTED))

  const bench: Bench = {
    upstream: await launchWorker<UpstreamCalls>(new URL('upstream.ts', import.meta.url)),
    client: await launchWorker<LoadClientCalls>(LOAD_CLIENT),
    json: await launchWorker<JsonCostCalls>(new URL('json-cost.ts', import.meta.url)),
    timeShare: values.quick ? QUICK_SHARE : 1,
  }
  for (const worker of [bench.upstream, bench.client, bench.json]) worker.died.catch(giveUp)
  const place = { upstreamPort: await bench.upstream.call('listen', undefined), folder }
  const rounds = chosenRounds()
  const file = resultsFile()
  const results: Result[] = []
  for await (const result of runRounds(bench, { loads, subjects: chosenSubjects(), rounds, place })) {
    results.push(result)
    appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...result })}\n`)
    console.error(`round ${result.round} of ${rounds}: ${result.load} ${result.subject} ${result.failure ?? 'done'}`)
  }
  console.log(toReport(loads, results))
  console.log(`Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, each of them in ${fileURLToPath(file)}`)
  if (loadBefore > BUSY) {
    console.log(`The machine was busy before this began (load ${loadBefore.toFixed(1)}): the times may say nothing.`)
  }
}

/** Without one of its own processes it has nothing more to measure. */
function giveUp(error: Error): Promise<never> {
  console.error(error.message)
  return end(1)
}

/** What the other processes still write has to be there before the folder goes. */
async function end(code: number): Promise<never> {
  await stopAll()
  process.exit(code)
}

function chosenRounds(): number {
  const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS))
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number from 1 up.')
  return rounds
}

function chosenLoads(): readonly Load[] {
  const loads = values.only === undefined ? LOADS : findLoads(values.only.split(','))
  return loads.filter(({ isExtra }) => !isExtra || values.full)
}

function chosenSubjects(): readonly Subject[] {
  const names = values.subjects?.split(',')
  const unknown = names?.find(name => !SUBJECTS.some(subject => subject.name === name))
  if (unknown !== undefined) throw new Error(`There is no subject ${unknown}.`)
  return SUBJECTS.filter(({ name }) => names?.includes(name) ?? (name !== 'portkey' || values.portkey))
}

function resultsFile(): URL {
  mkdirSync(RESULTS, { recursive: true })
  return new URL(`${new Date().toISOString().replaceAll(':', '-')}.jsonl`, RESULTS)
}

if (values.help) console.log(USAGE)
else {
  await main()
  await end(0)
}
