import { startSimulator, type Simulator } from '@millrace/simulator'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { AGENTS } from './agent.ts'
import { runAgent } from './run-agent.ts'

const running = new AsyncDisposableStack()

let simulator: Simulator
let gateway: RunningGateway
beforeAll(async () => {
  simulator = running.use(await startSimulator())
  gateway = running.use(await startGateway({ providers: { sim: { kind: 'openai', baseUrl: simulator.url } } }))
})
beforeEach(async () => void (await fetch(new URL('/stats/reset', simulator.url), { method: 'POST' })))
afterAll(() => running.disposeAsync())

/** What an agent says within the time, and how often it has asked. */
async function run(name: string, model: string, patienceMs: number): Promise<{ output: string; asked: number }> {
  const agent = AGENTS.find(other => other.name === name)!
  const access = { origin: gateway.origin, key: 'any', model }
  await using done = await runAgent(agent, access, 'Say hello, please.', patienceMs)
  return { output: done.output, asked: simulator.stats.chats }
}

test.for([
  ['error?status=500', 'The server had an error'],
  ['error-in-stream?after=3', 'The server had an error'],
  ['reset?after=900', 'upstream'],
] as const)('codex asks no more than six times, and shows what was wrong: %s', async ([scenario, words]) => {
  const { output, asked } = await run('codex', `sim/${scenario}`, 40_000)
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(6)
  expect(output.slice(output.indexOf('turn.failed'))).toContain(words)
})

test('codex asks once where asking again is no use', async () => {
  const { output, asked } = await run('codex', 'sim/error?status=400&message=The+grain+is+wet.', 40_000)
  expect(asked).toBe(1)
  expect(output).toContain('The grain is wet.')
})

test('claude-code shows what was wrong', async () => {
  const { output } = await run('claude-code', 'sim/error?status=400&message=The+grain+is+wet.', 40_000)
  expect(output).toContain('The grain is wet.')
})

test.for(['together', 'cerebras', 'usage-only', 'two-finishes', 'error?status=400'])(
  'opencode does not ask again and again: %s',
  async scenario => {
    const { asked } = await run('opencode', `sim/${scenario}`, 30_000)
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThanOrEqual(3)
  },
)

test('opencode waits ever longer before it asks again for an answer that was cut off', async () => {
  const { asked } = await run('opencode', 'sim/no-finish', 25_000)
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(8)
})
