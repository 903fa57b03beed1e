import { startQwenSimulator, type QwenSimulator } from '@millrace/simulator'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from './start-gateway.ts'

const FIRST = 'sk-test-first-account'
const SECOND = 'sk-test-second-account'
const MESSAGES = [{ role: 'user' as const, content: 'What is a millrace?' }]

let simulator: QwenSimulator
let gateway: RunningGateway
let client: OpenAI

beforeAll(async () => {
  simulator = await startQwenSimulator()
  const baseUrl = simulator.baseUrls['singapore/payg']!
  const accounts = [
    { name: 'first', apiKey: FIRST, baseUrl },
    { name: 'second', apiKey: SECOND, baseUrl },
  ]
  gateway = await startGateway({ providers: { qwen: { kind: 'qwen', accounts } } })
  client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: 'any', maxRetries: 0 })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await simulator[Symbol.asyncDispose]()
})

async function stream(model: string): Promise<{ text: string; reasoning: string; finish: unknown }> {
  const chunks = await client.chat.completions.create({ model, stream: true, messages: MESSAGES })
  let [text, reasoning, finish] = ['', '', undefined as unknown]
  for await (const { choices } of chunks) {
    const delta = choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined
    text += delta?.content ?? ''
    reasoning += delta?.reasoning_content ?? ''
    finish = choices[0]?.finish_reason ?? finish
  }
  return { text, reasoning, finish }
}

describe('Qwen through the gateway', () => {
  test('streams text and reasoning, and answers whole', async () => {
    expect(await stream('qwen/qwen3-coder-plus')).toMatchObject({ text: expect.stringMatching(/\w/), finish: 'stop' })
    const thought = await stream('qwen/qwen3-max?script=reasoning')
    expect([thought.reasoning, thought.text]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)])
    const whole = await client.chat.completions.create({ model: 'qwen/qwen3-coder-plus', messages: MESSAGES })
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringMatching(/\w/) } })
    expect(whole.usage?.total_tokens).toBeGreaterThan(0)
  })

  test('nobody notices that an account is throttled, and the access line names the one that served', async () => {
    simulator.control.exhaust({ credential: FIRST, forMs: 60_000 })
    for (let asked = 0; asked < 4; asked++) {
      const { data, response } = await client.chat.completions
        .create({ model: 'qwen/qwen3-coder-plus', messages: MESSAGES })
        .withResponse()
      expect(data.choices[0]?.finish_reason).toBe('stop')
      expect(await gateway.access(response.headers.get('x-request-id'))).toMatchObject({ account: 'second' })
    }
    for (const line of gateway.log) expect(JSON.stringify(line)).not.toMatch(/sk-test/)
  })

  test('what Qwen refuses is told with the words that help', async () => {
    const refused = client.chat.completions.create({
      model: 'qwen/qwen3-coder-plus',
      messages: MESSAGES,
      temperature: 2,
    })
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'temperature' })
  })
})
