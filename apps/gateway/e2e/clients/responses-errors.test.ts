import { answerText } from '@millrace/simulator'
import {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  type OpenAI,
} from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import { openaiClient } from './openai-client.ts'
import { gatewayWithSimulator, KEY } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let openai: OpenAI
beforeAll(() => {
  openai = openaiClient(world.gateway)
})

const ASKED = { model: 'sim/text', input: 'Does the mill run?' }

function post(body: object): Promise<Response> {
  return fetch(`${world.gateway.baseUrl}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

describe('a wrong body gets the error of the dialect, with the member named', () => {
  test.for<[body: object, code: string, param: string]>([
    [{ model: undefined }, 'missing_required_parameter', 'model'],
    [{ input: undefined }, 'missing_required_parameter', 'input'],
    [{ input: [{ role: 'user' }] }, 'missing_required_parameter', 'input[0].content'],
    [{ input: [{ role: 'user', content: [{ type: 'sound' }] }] }, 'invalid_value', 'input[0].content[0].type'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'unsupported_parameter', 'input[0]'],
    [{ temperature: 3 }, 'invalid_value', 'temperature'],
    [{ max_output_tokens: 'many' }, 'invalid_value', 'max_output_tokens'],
    [{ tools: [{ type: 'function' }] }, 'missing_required_parameter', 'tools[0].name'],
    [{ tools: [{ type: 'file_search', vector_store_ids: [] }] }, 'unsupported_parameter', 'tools[0].type'],
    [{ tool_choice: 'perhaps' }, 'invalid_value', 'tool_choice'],
    [{ text: { format: { type: 'xml' } } }, 'invalid_value', 'text.format.type'],
    [{ store: true }, 'unsupported_parameter', 'store'],
    [{ background: true }, 'unsupported_parameter', 'background'],
    [{ previous_response_id: 'resp_1' }, 'previous_response_not_found', 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'unsupported_parameter', 'conversation'],
    [{ base_url: 'http://elsewhere' }, 'unsupported_parameter', 'base_url'],
  ])('%j', async ([body, code, param]) => {
    for (const stream of [true, false]) {
      const response = await post({ ...ASKED, stream, ...body })
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([400, 'false'])
      await expect(response.json()).resolves.toEqual({
        error: { message: expect.stringMatching(/\w/), type: 'invalid_request_error', param, code },
      })
    }
    expect(world.simulator.stats.chats).toBe(0)
  })
})

describe('before the answer', () => {
  test.for([true, false])('failures have their classes (stream: %s)', async stream => {
    const caught = (model: string, client = openai): Promise<unknown> =>
      client.responses.create({ ...ASKED, model, stream }).then(
        () => undefined,
        (error: unknown) => error,
      )
    const stranger = openai.withOptions({ apiKey: 'test-key-of-nobody' })
    expect(await caught('sim/text', stranger)).toBeInstanceOf(AuthenticationError)
    expect(await caught('unheard/of')).toBeInstanceOf(NotFoundError)
    expect(await caught('sim/error?status=400')).toBeInstanceOf(BadRequestError)
    expect(await caught('sim/error?status=429')).toBeInstanceOf(RateLimitError)
    expect(await caught('sim/error?status=503')).toBeInstanceOf(InternalServerError)
  })

  test('one that passes is asked again by the client', async () => {
    const again = openaiClient(world.gateway, { maxRetries: 2 })
    const model = 'sim/error?status=429&retryAfter=1&times=1'
    expect((await again.responses.create({ ...ASKED, model })).output_text).toBe(answerText(20))
    expect(world.simulator.stats.chats).toBe(2)
  })
})

describe('in the middle of the answer', () => {
  test.for([
    ['error-in-stream?after=4&message=The+sluice+is+shut.', 'server_error', 'The sluice is shut.'],
    ['error-in-stream?after=4&status=429&message=Slowly.', 'rate_limit_exceeded', 'Slowly. Please try again in 5s.'],
    ['reset?after=900', 'server_error', expect.stringMatching(/\w/)],
  ] as const)('%s', async ([scenario, code, message]) => {
    const stream = await openai.responses.create({ ...ASKED, model: `sim/${scenario}`, stream: true })
    const events = await Array.fromAsync(stream)
    const text = events.map(event => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')
    expect(answerText(20).startsWith(text) && text !== '').toBe(true)
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code, message } },
    })
    expect(events.filter(({ type }) => /failed|completed|incomplete/.test(type))).toHaveLength(1)
  })

  test('half a whole answer is none', async () => {
    const asked = openai.responses.create({ ...ASKED, model: 'sim/error-in-stream?as=sse&message=The+sluice+is+shut.' })
    await expect(asked).rejects.toThrow('The sluice is shut.')
  })
})
