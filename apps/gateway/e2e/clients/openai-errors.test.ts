import { answerText } from '@millrace/simulator'
import {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  type OpenAI,
} from 'openai'
import { beforeAll, expect, test } from 'vitest'
import { contentOf, MESSAGES, openaiClient } from './openai-client.ts'
import { gatewayWithSimulator } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let openai: OpenAI
let completions: OpenAI['chat']['completions']
beforeAll(() => {
  openai = openaiClient(world.gateway, { maxRetries: 2 })
  completions = openai.chat.completions
})

test.for([true, false])('a wrong key is an AuthenticationError, at once (stream: %s)', async stream => {
  const stranger = openai.withOptions({ apiKey: 'test-key-of-nobody' })
  const error = await stranger.chat.completions
    .create({ model: 'sim/text', messages: MESSAGES, stream })
    .catch(error => error)
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', message: expect.stringContaining('API key') })
  expect(error.requestID).toMatch(/^[\da-f-]{36}$/)
  expect(world.simulator.stats.chats).toBe(0)
})

test.for([
  ['unheard/of', 'unheard/of'],
  ['sim/error?status=404&message=The+model+x+does+not+exist.', 'The model x does not exist.'],
] as const)('the model %s is a NotFoundError that names it', async ([model, words]) => {
  const error = await completions.create({ model, messages: MESSAGES, stream: true }).catch(error => error)
  expect(error).toBeInstanceOf(NotFoundError)
  expect(error).toMatchObject({ code: 'model_not_found', message: expect.stringContaining(words) })
  expect(world.simulator.stats.chats).toBeLessThanOrEqual(1)
})

test('a member of a wrong kind is a BadRequestError that names it', async () => {
  const asked = { model: 'sim/text', messages: MESSAGES, temperature: 3, stream: true } as const
  const error = await completions.create(asked).catch(error => error)
  expect(error).toBeInstanceOf(BadRequestError)
  expect(error).toMatchObject({ param: 'temperature', code: 'invalid_value', type: 'invalid_request_error' })
})

test('429 with retry-after: asked again when it says so, and then it is an answer', async () => {
  const model = 'sim/error?status=429&retryAfter=1&times=1'
  const chunks = await Array.fromAsync(await completions.create({ model, messages: MESSAGES, stream: true }))
  expect(contentOf(chunks)).toBe(answerText(20))
  const [first, second] = world.simulator.stats.arrivals
  expect(world.simulator.stats.arrivals).toHaveLength(2)
  expect(second! - first!).toBeGreaterThanOrEqual(990)
  expect(second! - first!).toBeLessThan(5000)
})

test('429 for good is a RateLimitError, after no more requests than the client makes', async () => {
  const model = 'sim/error?status=429&retryAfter=1&message=One+at+a+time.'
  const error = await completions.create({ model, messages: MESSAGES, stream: true }).catch(error => error)
  expect(error).toBeInstanceOf(RateLimitError)
  expect(error).toMatchObject({ message: expect.stringContaining('One at a time.') })
  expect(error.headers.get('retry-after')).toBe('1')
  expect(world.simulator.stats.chats).toBe(3)
})

test('a quota that is used up is a RateLimitError at once: waiting is no use', async () => {
  const model = 'sim/error?status=429&shape=quota&retryAfter=1'
  const error = await completions.create({ model, messages: MESSAGES, stream: true }).catch(error => error)
  expect(error).toBeInstanceOf(RateLimitError)
  expect(error).toMatchObject({ code: 'insufficient_quota' })
  expect(world.simulator.stats.chats).toBe(1)
})

test('an upstream that fails is an InternalServerError, after no more requests than the client makes', async () => {
  const model = 'sim/error?status=500&message=Something+broke.'
  const error = await completions.create({ model, messages: MESSAGES }).catch(error => error)
  expect(error).toBeInstanceOf(InternalServerError)
  expect(error).toMatchObject({ code: 'upstream_error', message: expect.stringContaining('Something broke.') })
  expect(world.simulator.stats.chats).toBe(3)
})

test("a key of ours that is refused upstream is none of the client's: no 401, and not asked again", async () => {
  const error = await completions.create({ model: 'sim/error?status=401', messages: MESSAGES }).catch(error => error)
  expect(error).toBeInstanceOf(InternalServerError)
  expect(error).toMatchObject({ status: 502, code: 'upstream_auth_failed' })
  expect(world.simulator.stats.chats).toBe(1)
})

test('a web page in place of an answer: no markup of it reaches the client', async () => {
  const asked = { model: 'sim/html', messages: MESSAGES, stream: true } as const
  const error = await completions.create(asked, { maxRetries: 0 }).catch(error => error)
  expect(error).toBeInstanceOf(InternalServerError)
  expect(error.message).not.toMatch(/[<>]/)
})
