import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { describeScenarios } from './scenarios.ts'
import { startSimulator } from './simulator.ts'

const USAGE = `Starts a server that speaks the OpenAI dialect and misbehaves as the model's name asks.

  --port N             where it listens (any port that is free)
  --host ADDRESS       on which address (127.0.0.1)
  --api-key KEY        the key that it demands (none)
  --scenario SCENARIO  what a model gets whose name is no scenario (text)
  --log                a line for each answer, on standard error
  --tied               end when standard input closes
  --help               this text

`

const ARGUMENTS = {
  port: { type: 'string', default: '0' },
  host: { type: 'string' },
  'api-key': { type: 'string' },
  scenario: { type: 'string' },
  log: { type: 'boolean', default: false },
  tied: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/**
 * Runs the simulator as a process of its own: prints one line of JSON, `{ url, port, pid }`, when it listens, and ends
 * on SIGTERM and SIGINT. Resolves when it has closed.
 * @throws {TypeError} an argument that it does not know
 */
export async function runSimulator(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: ARGUMENTS })
  if (values.help) {
    process.stdout.write(USAGE + describeScenarios())
    return
  }
  await using simulator = await startSimulator({
    port: Number(values.port),
    host: values.host,
    apiKey: values['api-key'],
    defaultScenario: values.scenario,
    log: values.log ? line => process.stderr.write(`${line}\n`) : undefined,
  })
  const stopped = new AbortController()
  const { signal } = stopped
  const ends = [once(process, 'SIGTERM', { signal }), once(process, 'SIGINT', { signal })]
  if (values.tied) ends.push(once(process.stdin.resume(), 'close', { signal }))
  process.stdout.write(`${JSON.stringify({ url: simulator.url, port: simulator.port, pid: process.pid })}\n`)
  try {
    await Promise.race(ends)
  } finally {
    stopped.abort() // takes the listeners away
    await Promise.allSettled(ends)
    if (values.tied) process.stdin.destroy()
  }
}
