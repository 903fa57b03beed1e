import {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  type Anthropic,
} from '@anthropic-ai/sdk'
import { answerText } from '@millrace/simulator'
import { beforeAll, describe, expect, test } from 'vitest'
import { anthropicClient, ASKED, textOf } from './anthropic-client.ts'
import { gatewayWithSimulator, KEY } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let anthropic: Anthropic
beforeAll(() => {
  anthropic = anthropicClient(world.gateway, { maxRetries: 2 })
})

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** An answer to bytes that no SDK would send. */
async function post(path: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(new URL(path, world.gateway.origin), {
    method: 'POST',
    headers: { 'x-api-key': KEY, 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown }
}

/** The envelope of Anthropic's API, with these words in it. */
function envelope(type: string, words: string): object {
  return {
    type: 'error',
    error: { type, message: expect.stringContaining(words) },
    request_id: expect.stringMatching(/^[\da-f-]{36}$/),
  }
}

describe('before the answer', () => {
  test.for([true, false])('a wrong key, at once (stream: %s)', async stream => {
    const stranger = anthropic.withOptions({ apiKey: 'test-key-of-nobody' })
    const error = await failureOf(stranger.messages.create({ model: 'sim/text', ...ASKED, stream }))
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({
      status: 401,
      type: 'authentication_error',
      message: expect.stringContaining('API key'),
    })
    expect((error as APIError).requestID).toMatch(/^[\da-f-]{36}$/)
    expect(world.simulator.stats.chats).toBe(0)
  })

  test('a model that does not exist, by its name', async () => {
    const error = await failureOf(anthropic.messages.create({ model: 'unheard/of', ...ASKED, stream: true }))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ type: 'not_found_error', message: expect.stringContaining('unheard/of') })
    const counted = await failureOf(anthropic.messages.countTokens({ model: 'unheard/of', messages: ASKED.messages }))
    expect(counted).toBeInstanceOf(NotFoundError)
    expect(world.simulator.stats.chats).toBe(0)
  })

  test('429 with retry-after: asked again when it says so, and then it is an answer', async () => {
    const message = await anthropic.messages.create({ model: 'sim/error?status=429&retryAfter=1&times=1', ...ASKED })
    expect(textOf(message)).toBe(answerText(20))
    const [first, second] = world.simulator.stats.arrivals
    expect(second! - first!).toBeGreaterThanOrEqual(990)
  })

  test('429 for longer than anybody waits: not asked again', async () => {
    const model = 'sim/error?status=429&retryAfter=600&message=The+sluice+is+shut.'
    const error = await failureOf(anthropic.messages.create({ model, ...ASKED, stream: true }))
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({ type: 'rate_limit_error', message: expect.stringContaining('The sluice is shut.') })
    expect(world.simulator.stats.chats).toBe(1)
  })

  test('a key that the upstream refuses is no matter of the client, and not asked with again', async () => {
    const error = await failureOf(anthropic.messages.create({ model: 'sim/error?status=401', ...ASKED }))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 502, type: 'api_error' })
    expect(world.simulator.stats.chats).toBe(1)
  })

  test('a conversation that is too long is told so that Claude Code shortens it', async () => {
    const words = "This+model's+maximum+context+length+is+8192+tokens.+However,+you+requested+9000+tokens."
    const model = `sim/error?status=400&code=context_length_exceeded&message=${words}`
    const error = await failureOf(anthropic.messages.create({ model, ...ASKED }))
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ message: expect.stringContaining('prompt is too long: 9000 tokens > 8192 maximum') })
    expect(world.simulator.stats.chats).toBe(1)
  })

  test.for<[string, string, number, string, string]>([
    ['no JSON', '{', 400, 'invalid_request_error', 'not valid JSON'],
    ['nothing', '', 400, 'invalid_request_error', 'not valid JSON'],
    ['no object', '[]', 400, 'invalid_request_error', 'JSON object'],
    [
      'no model',
      '{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}',
      400,
      'invalid_request_error',
      '"model" is required',
    ],
    [
      'no limit',
      '{"model":"sim/text","messages":[{"role":"user","content":"x"}]}',
      400,
      'invalid_request_error',
      '"max_tokens" is required',
    ],
    ['no messages', '{"model":"sim/text","max_tokens":1}', 400, 'invalid_request_error', '"messages" is required'],
    [
      'a block that cannot be',
      '{"model":"sim/text","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]}',
      400,
      'invalid_request_error',
      'messages[0].content[0].text',
    ],
    [
      'a tool without a schema',
      '{"model":"sim/text","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"a"}]}',
      400,
      'invalid_request_error',
      'tools[0].input_schema',
    ],
  ])('a body with %s', async ([, body, status, type, words]) => {
    const answer = await post('/v1/messages?beta=true', body)
    expect(answer).toMatchObject({ status, body: envelope(type, words) })
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(answer.headers.get('request-id')).toBe((answer.body as { request_id: string }).request_id)
  })

  test('a body that is too large, or of another kind', async () => {
    const large = await post('/v1/messages', `{"model":"${'m'.repeat(11 * 1024 * 1024)}"}`).catch(() => undefined)
    expect(large ?? { status: 413, body: envelope('request_too_large', '') }).toMatchObject({
      status: 413,
      body: envelope('request_too_large', 'limit'),
    })
    const other = await post('/v1/messages', 'x', { 'content-type': 'text/plain' })
    expect(other).toMatchObject({ status: 415, body: envelope('invalid_request_error', 'application/json') })
  })

  test('other paths and methods, and the list of models for those who speak this dialect', async () => {
    expect(await post('/v1/messages/batches', '{}')).toMatchObject({
      status: 404,
      body: envelope('not_found_error', '/v1/messages/batches'),
    })
    const got = await fetch(`${world.gateway.baseUrl}/messages`, { headers: { 'x-api-key': KEY } })
    expect([got.status, await got.json()]).toEqual([405, envelope('invalid_request_error', 'POST')])
    for (const [version, expected] of [
      ['2023-06-01', envelope('authentication_error', 'API key')],
      [undefined, { error: expect.objectContaining({ code: 'invalid_api_key' }) }],
    ] as const) {
      const headers = version === undefined ? {} : { 'anthropic-version': version }
      const listed = await fetch(`${world.gateway.baseUrl}/models`, { headers })
      expect([listed.status, await listed.json()]).toEqual([401, expected])
    }
  })
})

describe('in the middle of the answer', () => {
  test.for([
    ['sim/error-in-stream?after=4&message=The+sluice+is+shut.', 'The sluice is shut.', 'upstream_error'],
    ['sim/reset', 'upstream', 'upstream_truncated'],
    ['sim/cut', 'upstream', 'upstream_truncated'],
  ])('%s', async ([model, words, ending]) => {
    const { data, request_id } = await anthropic.messages
      .create({ model: model!, ...ASKED, stream: true })
      .withResponse()
    let text = ''
    const error = await failureOf(
      (async () => {
        for await (const event of data) {
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
        }
      })(),
    )
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ type: 'api_error', message: expect.stringContaining(words!) })
    expect(text).not.toBe('')
    expect(answerText(20).startsWith(text)).toBe(true)
    await expect(world.gateway.access(request_id!)).resolves.toMatchObject({ status: 200, ending })
  })

  test('a whole answer is then an error with a status, and none of the text', async () => {
    const once = anthropicClient(world.gateway)
    const error = await failureOf(once.messages.create({ model: 'sim/reset', ...ASKED }))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 502, type: 'api_error' })
  })
})
