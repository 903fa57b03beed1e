import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startAmazonQSimulator, startQwenSimulator } from '@millrace/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { AGENTS } from './agent.ts'
import { runAgent } from './run-agent.ts'

const KEY = 'test-key-of-an-agent'
const running = new AsyncDisposableStack()

let gateway: RunningGateway
beforeAll(async () => {
  const qwen = running.use(await startQwenSimulator())
  const baseUrl = qwen.baseUrls['singapore/payg']!
  const accounts = ['first', 'second', 'third'].map(name => ({ name, apiKey: `sk-test-${name}`, baseUrl }))
  // One of the three is throttled all the time, and no agent notices.
  qwen.control.exhaust({ credential: 'sk-test-second', error: 'rate-limit', forMs: 3_600_000 })
  const amazonQ = running.use(await startAmazonQSimulator())
  gateway = running.use(
    await startGateway({
      auth: { keys: [KEY] },
      providers: {
        qwen: { kind: 'qwen', accounts },
        'amazon-q': { kind: 'amazon-q', endpoint: amazonQ.url, accessToken: 'aoa-test-amazon-q' },
      },
    }),
  )
})
afterAll(() => running.disposeAsync())

interface Call {
  readonly name: string
  readonly arguments: object
}

/** Model → words that make it, simulated as it is, call a tool, and then tell what came of it. */
const MODELS: Readonly<Record<string, (call: Call) => string>> = {
  'qwen/qwen3-coder-plus': ({ name, arguments: input }) =>
    `[simulate: script=tool&name=${name}&arguments=${JSON.stringify(input)}]`,
  'amazon-q': ({ name, arguments: input }) => `[call ${name} ${JSON.stringify(input)}]`,
}

describe.each(AGENTS)('$name', agent => {
  test.for(Object.keys(MODELS))('finishes a task with a tool call, through %s', async model => {
    const command = 'echo ground > flour.txt; echo The mill has turned.'
    const prompt = `Grind some flour. ${MODELS[model]!(agent.call(command))}`
    await using run = await runAgent(agent, { origin: gateway.origin, key: KEY, model }, prompt)
    if (run.exitCode !== 0) throw new Error(`${agent.name} ended with ${run.exitCode}: ${run.output}`)
    expect(await readFile(join(run.folder, 'flour.txt'), 'utf8')).toBe('ground\n')
    // Beside the result of the tool, the model's own words about it.
    expect(run.output).toMatch(/The tool sa(?:ys|id): [^]*The mill has turned\./)
  })
})
