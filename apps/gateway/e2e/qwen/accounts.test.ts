import OpenAI, { APIError } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { startSimulated, type SimulatedQwen } from '../simulated-service.ts'

const NAMES = ['first', 'second', 'third']
const keyOf = (name: string): string => `sk-canary-${name}`
const MESSAGES = [{ role: 'user' as const, content: 'Does the mill run?' }]
const MODEL = 'qwen/qwen3-coder-plus'

let qwen: SimulatedQwen
beforeAll(async () => {
  qwen = await startSimulated('qwen')
})
afterEach(async () => void (await qwen.control({ reset: {} })))
afterAll(() => qwen[Symbol.asyncDispose]())

function gatewayOf(...names: readonly string[]): Promise<RunningGateway> {
  const baseUrl = qwen.baseUrls['singapore/payg']!
  const accounts = names.map(name => ({ name, apiKey: keyOf(name), baseUrl }))
  return startGateway({ providers: { qwen: { kind: 'qwen', accounts } } })
}

/** Which account served, and what was said. @throws {APIError} nobody did */
async function askWho(gateway: RunningGateway, model = MODEL): Promise<{ account: unknown; text: string }> {
  const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: 'any', maxRetries: 0 })
  const asked = client.chat.completions.create({ model, messages: MESSAGES, stream: true })
  const { data, response } = await asked.withResponse()
  let text = ''
  for await (const { choices } of data) text += choices[0]?.delta.content ?? ''
  const { account } = await gateway.access(response.headers.get('x-request-id'))
  return { account, text }
}

const failureOf = (gateway: RunningGateway, model: string): Promise<APIError> =>
  askWho(gateway, model).then(
    () => {
      throw new Error('It was answered.')
    },
    (error: unknown) => error as APIError,
  )

test('one of three accounts is throttled in the middle of a run, and nobody notices', async () => {
  await using gateway = await gatewayOf(...NAMES)
  const before = new Set<unknown>()
  const after = new Set<unknown>()
  for (let round = 0; round < 6; round++) before.add((await askWho(gateway)).account)
  await qwen.control({ exhaust: { credential: keyOf('second'), error: 'rate-limit', forMs: 60_000 } })
  for (let round = 0; round < 6; round++) after.add((await askWho(gateway)).account)
  expect(before).toEqual(new Set(NAMES))
  expect(after).toEqual(new Set(['first', 'third']))
})

test('an account that ran out is used again within 2 seconds after its reset', async () => {
  await using gateway = await gatewayOf('first', 'second')
  await qwen.control({ setRetryAfter: { form: 'seconds' } })
  await qwen.control({ exhaust: { credential: keyOf('first'), error: 'hour-quota', forMs: 3000 } })
  const backAt = performance.now() + 3000
  expect(new Set([(await askWho(gateway)).account, (await askWho(gateway)).account])).toEqual(new Set(['second']))
  while ((await askWho(gateway)).account !== 'first');
  const usedAt = performance.now()
  expect(usedAt).toBeGreaterThan(backAt - 100)
  expect(usedAt - backAt).toBeLessThan(2000)
})

test.for<[retryAfter: string, least: number, most: number]>([
  ['1', 1, 1],
  ['date:5', 4, 6],
  ['bogus', 0, 60],
  ['-3', 0, 60],
  ['0', 0, 60],
])('a limit with `retry-after: %s` is passed on by the only account', async ([retryAfter, least, most]) => {
  await using gateway = await gatewayOf('only')
  const failure = await failureOf(gateway, `${MODEL}?error=rate-limit&retryAfter=${retryAfter}`)
  expect(failure).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  const told = Number(failure.headers?.get('retry-after'))
  expect(told).toBeGreaterThanOrEqual(least)
  expect(told).toBeLessThanOrEqual(most)
})

test('one that asks to wait for two minutes is not waited for', async () => {
  await using gateway = await gatewayOf('only')
  const failure = await failureOf(gateway, `${MODEL}?error=rate-limit&retryAfter=121`)
  expect(failure.status).toBe(429)
  expect(failure.headers?.get('x-should-retry')).toBe('false')
})

describe('what is wrong with the request', () => {
  test.for<[error: string, status: number, code: string]>([
    ['max-tokens', 400, 'upstream_rejected'],
    ['json-word', 400, 'upstream_rejected'],
    ['input-length', 400, 'context_length_exceeded'],
    ['inspected-input', 400, 'content_filter'],
    ['model-not-exist', 404, 'model_not_found'],
  ])('is asked once, whatever other accounts there are: %s', async ([error, status, code]) => {
    await using gateway = await gatewayOf(...NAMES)
    expect(await failureOf(gateway, `${MODEL}?error=${error}`)).toMatchObject({ status, code })
    expect((await qwen.state()).stats.chats).toBe(1)
  })
})

test.for(['error-finish', 'error-frame&frame=a', 'error-frame&frame=b&error=inspected-output', 'limit-json'])(
  'an error in the answer is an error, and never text: %s',
  async script => {
    await using gateway = await gatewayOf('only')
    const failure = await failureOf(gateway, `${MODEL}?script=${script}`)
    expect(failure).toBeInstanceOf(APIError)
    expect(failure.message).not.toMatch(/^\d+ status code/)
  },
)

describe('over one account', () => {
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await gatewayOf('only')
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  test.for([
    'tools',
    'tools-reused-index',
    'tools-null-arguments',
    'tools-repeated-id',
    'tools-no-index',
    'tools-sparse-index',
    'tools-late-name',
    'tools-repeated-name',
    'tools-whole',
    'tools-together',
  ])('parallel tool calls come out whole, however they are written: %s', async script => {
    const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: 'any', maxRetries: 0 })
    const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } }]
    const model = `${MODEL}?script=${script}`
    const stream = client.chat.completions.stream({ model, messages: MESSAGES, tools, parallel_tool_calls: true })
    const { choices } = await stream.finalChatCompletion()
    expect(choices[0]!.finish_reason).toBe('tool_calls')
    const calls = choices[0]!.message.tool_calls!
    expect(calls).toHaveLength(2)
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
    for (const call of calls) {
      if (call.type !== 'function') throw new Error(`A call is of the type ${call.type}.`)
      expect(call.function.name).toBe('get_weather')
      expect(JSON.parse(call.function.arguments)).toBeTypeOf('object')
    }
  })

  test.for(['end', 'finish', 'each', 'first', 'twice', 'none', 'negative', 'huge', 'top'])(
    'there is one usage chunk, and it is sane: %s',
    async usage => {
      const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: 'any', maxRetries: 0 })
      const stream_options = { include_usage: true }
      const asked = { model: `${MODEL}?usage=${usage}`, messages: MESSAGES, stream: true, stream_options } as const
      const { data, response } = await client.chat.completions.create(asked).withResponse()
      const chunks = await Array.fromAsync(data)
      const told = chunks.flatMap(chunk => (chunk.usage ? [chunk.usage] : []))
      expect(told).toHaveLength(1)
      for (const tokens of [told[0]!.prompt_tokens, told[0]!.completion_tokens]) {
        expect(Number.isSafeInteger(tokens)).toBe(true)
        expect(tokens).toBeGreaterThanOrEqual(0)
        expect(tokens).toBeLessThan(10_000)
      }
      const line = await gateway.access(response.headers.get('x-request-id'))
      expect([line['promptTokens'], line['completionTokens']]).toEqual([
        told[0]!.prompt_tokens,
        told[0]!.completion_tokens,
      ])
      expect(usage === 'none' && line['estimated'] !== true).toBe(false)
    },
  )
})

test('no key is ever written', async () => {
  await using gateway = await gatewayOf(...NAMES)
  await askWho(gateway)
  const failures = [
    await failureOf(gateway, `${MODEL}?error=invalid-key`),
    await failureOf(gateway, `${MODEL}?error=rate-limit`),
  ]
  const written = [JSON.stringify(gateway.log), gateway.errors(), ...failures.map(({ error }) => JSON.stringify(error))]
  expect(written.join('\n')).toContain('"account":"first"')
  expect(written.join('\n')).not.toContain('canary')
})
