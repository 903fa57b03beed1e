import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { startAmazonQSimulator } from './amazon-q/amazon-q-simulator.ts'
import { describeAmazonQ } from './amazon-q/describe-amazon-q.ts'
import { describeQwen } from './qwen/describe-qwen.ts'
import { startQwenSimulator } from './qwen/qwen-simulator.ts'
import { describeScenarios } from './scenarios.ts'
import { startSimulator } from './simulator.ts'
import type { SimulatorOptions } from './simulator.ts'

/** A simulator as this command sees it. */
interface Running extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly baseUrls?: Readonly<Record<string, string>>
}

interface Upstream {
  readonly summary: string
  readonly start: (options: SimulatorOptions) => Promise<Running>
  readonly describe: () => string
}

/** What can be simulated: the first argument → it. */
const UPSTREAMS = {
  openai: {
    summary: "Starts a server that speaks the OpenAI dialect and misbehaves as the model's name asks.",
    start: startSimulator,
    describe: describeScenarios,
  },
  qwen: {
    summary: "Starts Qwen's hosts, all on one port: sign-in, portal, DashScope with its regions and plans.",
    start: startQwenSimulator,
    describe: describeQwen,
  },
  'amazon-q': {
    summary: 'Starts Amazon Q, spoken to by targets or by paths, and its sign-in, all on one port.',
    start: startAmazonQSimulator,
    describe: describeAmazonQ,
  },
} satisfies Record<string, Upstream>

const USAGE = `
  openai | qwen | amazon-q
                       what to simulate (openai)
  --port N             where it listens (any port that is free)
  --host ADDRESS       on which address (127.0.0.1)
  --api-key KEY        the key that it demands (none)
  --scenario SCENARIO  what a model gets whose name asks for nothing (an ordinary answer)
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
 * Runs a simulator as a process of its own: prints one line of JSON when it listens, `{ url, port, pid }` and where its
 * hosts are if it has several, and ends on SIGTERM and SIGINT. Resolves when it has closed.
 * @throws {TypeError} an argument that it does not know
 */
export async function runSimulator(args: readonly string[]): Promise<void> {
  const [first = ''] = args
  const isNamed = isUpstream(first)
  const upstream: Upstream = UPSTREAMS[isNamed ? first : 'openai']
  const { values } = parseArgs({ args: args.slice(isNamed ? 1 : 0), options: ARGUMENTS })
  if (values.help) {
    process.stdout.write(`${upstream.summary}\n${USAGE}${upstream.describe()}`)
    return
  }
  await using simulator = await upstream.start({
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
  const { url, port, baseUrls } = simulator
  process.stdout.write(`${JSON.stringify({ url, port, pid: process.pid, baseUrls })}\n`)
  try {
    await Promise.race(ends)
  } finally {
    stopped.abort() // takes the listeners away
    await Promise.allSettled(ends)
    if (values.tied) process.stdin.destroy()
  }
}

function isUpstream(name: string): name is keyof typeof UPSTREAMS {
  return Object.hasOwn(UPSTREAMS, name)
}
