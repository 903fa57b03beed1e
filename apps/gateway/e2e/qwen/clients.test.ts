import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { orSkip } from '../clients/or-skip.ts'
import { pythonEnvironment } from '../clients/python-environment.ts'
import { runCommand } from '../run-command.ts'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { startSimulated } from '../simulated-service.ts'

const MODEL = 'qwen/qwen3-coder-plus'
const running = new AsyncDisposableStack()
const python = await orSkip('Python', () => pythonEnvironment('current'))

let gateway: RunningGateway
beforeAll(async () => {
  const qwen = running.use(await startSimulated('qwen'))
  const accounts = ['first', 'second', 'third'].map(name => ({
    name,
    apiKey: `sk-test-${name}`,
    baseUrl: qwen.baseUrls['singapore/payg']!,
  }))
  gateway = running.use(await startGateway({ providers: { qwen: { kind: 'qwen', accounts } } }))
  await qwen.control({ exhaust: { credential: 'sk-test-second', error: 'rate-limit', forMs: 60_000 } })
})
afterAll(() => running.disposeAsync())

function ask(way: string, model: string): Promise<unknown> {
  return python!.run('openai_current.py', [way, model], { OPENAI_BASE_URL: gateway.baseUrl, OPENAI_API_KEY: 'any' })
}

describe.skipIf(python === undefined)('openai for Python, over three accounts of which one is throttled', () => {
  test('text in a stream, and whole', async () => {
    for (let round = 0; round < 3; round++) {
      await expect(ask('stream', MODEL)).resolves.toMatchObject({ roles: ['assistant'], finishes: ['stop'] })
    }
    await expect(ask('whole', MODEL)).resolves.toMatchObject({ choices: [{ finish_reason: 'stop' }] })
  })

  test('parallel tool calls', async () => {
    const seen = (await ask('helper', `${MODEL}?script=tools`)) as { calls: unknown[]; finish: string }
    expect(seen.calls).toHaveLength(2)
    expect(seen.finish).toBe('tool_calls')
  })
})

test('curl streams reasoning, then text', async () => {
  const body = { model: 'qwen/qwen3-max?script=reasoning', stream: true, messages: [{ role: 'user', content: 'Hi' }] }
  const url = `${gateway.baseUrl}/chat/completions`
  const args = ['-sN', url, '-H', 'content-type: application/json', '-d', JSON.stringify(body)]
  await using curl = runCommand('curl', args)
  await expect(curl.exited).resolves.toBe(0)
  expect(curl.stdout()).toMatch(/"reasoning_content":"[^]*"content":"[^]*"finish_reason":"stop"[^]*data: \[DONE\]\n\n$/)
})
