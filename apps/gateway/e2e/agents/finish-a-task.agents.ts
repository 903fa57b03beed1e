import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startQwenSimulator } from '@millrace/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { AGENTS, type Agent } from './agent.ts'
import { runAgent } from './run-agent.ts'

const KEY = 'test-key-of-an-agent'
const running = new AsyncDisposableStack()

let gateway: RunningGateway
beforeAll(async () => {
  const qwen = running.use(await startQwenSimulator())
  gateway = running.use(
    await startGateway({
      auth: { keys: [KEY] },
      providers: { qwen: { kind: 'qwen', apiKey: 'sk-test-qwen', baseUrl: qwen.baseUrls['singapore/payg']! } },
    }),
  )
})
afterAll(() => running.disposeAsync())

/** Words that make the simulated model run a command, and then tell what came of it. */
function taskFor(agent: Agent, command: string): string {
  const call = agent.call(command)
  return `Grind some flour. [simulate: script=tool&name=${call.name}&arguments=${JSON.stringify(call.arguments)}]`
}

describe.each(AGENTS)('$name', agent => {
  test.for(['qwen/qwen3-coder-plus'])('finishes a task with a tool call, through %s', async model => {
    const prompt = taskFor(agent, 'echo ground > flour.txt; echo The mill has turned.')
    await using run = await runAgent(agent, { origin: gateway.origin, key: KEY, model }, prompt)
    if (run.exitCode !== 0) throw new Error(`${agent.name} ended with ${run.exitCode}: ${run.output}`)
    expect(await readFile(join(run.folder, 'flour.txt'), 'utf8')).toBe('ground\n')
    // The model's own words, behind the result of the tool.
    expect(run.output).toMatch(/The tool says: .*The mill has turned\./s)
  })
})
