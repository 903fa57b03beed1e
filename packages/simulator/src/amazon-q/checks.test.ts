import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import { askAmazonQ, callHeaders, faultOf, TOKEN, toTool } from './ask-amazon-q.ts'
import type { AmazonQAskOptions } from './ask-amazon-q.ts'
import type { Message, ToolResult, ToolUse } from './conversation.ts'

let simulator: AmazonQSimulator
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.control.reset())
afterAll(() => simulator.close())

const TOOLS = [toTool('get_weather'), toTool('get_time')]

function user(content: string, userInputMessageContext?: object): Message {
  return { userInputMessage: { content, ...(userInputMessageContext && { userInputMessageContext }) } }
}

function assistant(content: string, ...toolUses: readonly ToolUse[]): Message {
  return { assistantResponseMessage: { content, ...(toolUses.length > 0 && { toolUses }) } }
}

function use(toolUseId: string, name = 'get_weather', input: unknown = {}): ToolUse {
  return { toolUseId, name, input: input as object }
}

function result(toolUseId: string, text = '18 C'): ToolResult {
  return { toolUseId, status: 'success', content: [{ text }] }
}

/** What a request gets: 200, or its reason, or the message where there is none. */
async function outcome(options: AmazonQAskOptions, model = ''): Promise<unknown> {
  const reply = await askAmazonQ(simulator, model, options)
  if (reply.status === 200) return 200
  const [status, name, reason, message] = faultOf(reply)
  expect([status, name]).toEqual([400, 'ValidationException'])
  return reason ?? message
}

const IMPROPER = 'Improperly formed request.'
const PAIR = [user('Weather?'), assistant('', use('a'), use('b', 'get_time'))]

describe('a conversation', () => {
  it.each<[string, AmazonQAskOptions, unknown]>([
    ['nothing but a message', {}, 200],
    ['a history', { history: [user('Hi'), assistant('Hello')] }, 200],
    ['calls and their results', { history: PAIR, results: [result('a'), result('b')], tools: TOOLS, content: '' }, 200],
    ['an image', { message: { content: '', images: [{ format: 'png', source: { bytes: 'iVBORw0KGgoAAAA=' } }] } }, 200],
    ['an empty history', { history: [] }, 200],
    ['no trigger', { state: { chatTriggerType: undefined } }, 'REQUEST_BODY_INVALID'],
    ['another trigger', { state: { chatTriggerType: 'AUTO' } }, 'REQUEST_BODY_INVALID'],
    ['no current message', { state: { currentMessage: undefined } }, 'REQUEST_BODY_INVALID'],
    ['an assistant at the end', { state: { currentMessage: assistant('Hi') } }, 'REQUEST_BODY_INVALID'],
    ['no conversation', { members: { conversationState: undefined } }, 'REQUEST_BODY_INVALID'],
    ['null instead of text', { message: { content: null } }, 'REQUEST_BODY_INVALID'],
    ['an unknown origin', { message: { origin: 'MILL' } }, 'REQUEST_BODY_INVALID'],
    ['half a character', { content: 'a \ud800 b' }, 'REQUEST_BODY_INVALID'],
    ['an id that is too long', { state: { conversationId: 'x'.repeat(129) } }, 'INVALID_CONVERSATION_ID'],
    ['an assistant first', { history: [assistant('Hi')] }, 'REQUEST_BODY_INVALID'],
    ['two users', { history: [user('Hi'), assistant('Hi'), user('Hi')] }, 'REQUEST_BODY_INVALID'],
    ['empty content', { content: '' }, IMPROPER],
    ['an empty assistant', { history: [user('Hi'), assistant('')] }, IMPROPER],
    [
      'a made-up profile',
      { members: { profileArn: 'arn:aws:codewhisperer:us-east-1:1:profile/X' } },
      'REQUEST_BODY_INVALID',
    ],
    [
      'a long path',
      { message: { userInputMessageContext: { envState: { currentWorkingDirectory: 'x'.repeat(257) } } } },
      'REQUEST_BODY_INVALID',
    ],
  ])('with %s', async (_, options, expected) => expect(await outcome(options)).toBe(expected))

  it.each<[string, AmazonQAskOptions, unknown]>([
    ['results of nothing', { results: [result('a')], tools: TOOLS }, 'TOOL_USE_RESULT_MISMATCH'],
    [
      'results in the first message',
      { history: [user('', { toolResults: [result('a')] }), assistant('Hi')], tools: TOOLS },
      'TOOL_USE_RESULT_MISMATCH',
    ],
    ['a missing result', { history: PAIR, results: [result('a')], tools: TOOLS }, 'TOOL_USE_RESULT_MISMATCH'],
    [
      'results in another order',
      { history: PAIR, results: [result('b'), result('a')], tools: TOOLS },
      'TOOL_USE_RESULT_MISMATCH',
    ],
    [
      'the same call twice',
      { history: [user('Hi'), assistant('', use('a'), use('a'))], results: [result('a')], tools: TOOLS },
      'TOOL_DUPLICATE',
    ],
    ['calls and no tools', { history: PAIR, results: [result('a'), result('b')] }, 'TOOL_CONFIG_MISSING'],
    [
      'calls of other tools',
      { history: PAIR, results: [result('a'), result('b')], tools: [toTool('get_time')] },
      'TOOL_CONFIG_MISSING',
    ],
    [
      'input that is text',
      { history: [user('Hi'), assistant('', use('a', 'get_weather', '{}'))], results: [result('a')], tools: TOOLS },
      'REQUEST_BODY_INVALID',
    ],
    [
      'an empty key in input',
      {
        history: [user('Hi'), assistant('', use('a', 'get_weather', { '': 1 }))],
        results: [result('a')],
        tools: TOOLS,
      },
      'REQUEST_BODY_INVALID',
    ],
    [
      'a long id',
      { history: [user('Hi'), assistant('', use('a'.repeat(65)))], results: [result('a'.repeat(65))], tools: TOOLS },
      'REQUEST_BODY_INVALID',
    ],
    ['two tools of one name', { tools: [toTool('a'), toTool('a')] }, 'TOOL_DUPLICATE'],
    ['a name with a dot', { tools: [toTool('a.b')] }, IMPROPER],
    ['a long name', { tools: [toTool('a'.repeat(65))] }, IMPROPER],
    [
      'a list as schema',
      { tools: [{ toolSpecification: { name: 'a', inputSchema: { json: { type: 'array' } } } }] },
      'TOOL_SCHEMA_INVALID',
    ],
    [
      'no properties',
      { tools: [{ toolSpecification: { name: 'a', inputSchema: { json: { type: 'object' } } } }] },
      'TOOL_SCHEMA_INVALID',
    ],
    ['an empty list of what is required', { tools: [toTool('a', {}, [])] }, 'TOOL_SCHEMA_INVALID'],
    [
      'a union at the root',
      {
        tools: [
          { toolSpecification: { name: 'a', inputSchema: { json: { type: 'object', properties: {}, anyOf: [] } } } },
        ],
      },
      'TOOL_SCHEMA_INVALID',
    ],
    [
      'an empty description',
      { tools: [{ toolSpecification: { ...toTool('a').toolSpecification!, description: '' } }] },
      IMPROPER,
    ],
    [
      'no description',
      { tools: [{ toolSpecification: { name: 'a', inputSchema: { json: { type: 'object', properties: {} } } } }] },
      200,
    ],
  ])('with tools: %s', async (_, options, expected) => expect(await outcome(options)).toBe(expected))

  it.each([
    [11, 'png', 'iVBORw0KGgo=', 'IMAGE_COUNT_EXCEEDED'],
    [1, 'bmp', 'Qk0=', 'IMAGE_FORMAT_UNSUPPORTED'],
    [1, 'jpeg', 'iVBORw0KGgo=', 'IMAGE_MIME_MISMATCH'],
    [1, 'webp', `UklGR${'A'.repeat(14_000_000)}`, 'IMAGE_SIZE_EXCEEDED'],
  ])('with %i images of the format %s', async (count, format, bytes, expected) => {
    const images = Array.from({ length: count }, () => ({ format, source: { bytes } }))
    expect(await outcome({ message: { images } })).toBe(expected)
  })

  it('may be out of order where nobody is strict', async () => {
    simulator.control.setService({ strict: false })
    const results = [result('b'), result('a')]
    expect(await outcome({ history: [user('Hi'), ...PAIR], results, tools: [toTool('other')] })).toBe(200)
    expect(await outcome({ history: PAIR, results: [result('a')], tools: TOOLS })).toBe('TOOL_USE_RESULT_MISMATCH')
  })

  it('is too long above four characters for each token, or what was set', async () => {
    const content = 'x'.repeat(800_001)
    expect(await outcome({ content }, 'claude-sonnet-4')).toBe('CONTENT_LENGTH_EXCEEDS_THRESHOLD')
    expect(await outcome({ content }, 'claude-sonnet-4.6')).toBe(200)
    simulator.control.setService({ maxCharacters: 10 })
    expect(await outcome({ content: 'ten of the' })).toBe('CONTENT_LENGTH_EXCEEDS_THRESHOLD')
  })

  it('names a model that there is for its origin, or none', async () => {
    const models = ['', 'claude-sonnet-4', 'auto', 'claude-sonnet-4.6', 'claude-sonnet-4-6', 'amazon-q']
    const seen = (origin: string): Promise<unknown[]> =>
      Promise.all(models.map(model => outcome({ message: { origin } }, model)))
    const wrong = 'INVALID_MODEL_ID'
    expect(await seen('KIRO_CLI')).toEqual([200, 200, 200, 200, wrong, wrong])
    expect(await seen('CLI')).toEqual([200, 200, wrong, wrong, wrong, wrong])
  })

  it('needs a profile where that is wanted', async () => {
    simulator.control.setService({ requireProfile: true })
    expect(await outcome({})).toBe('profileArn is required for this request.')
    const profileArn = 'arn:aws:codewhisperer:us-east-1:123456789012:profile/SIMULATED001'
    expect(await outcome({ members: { profileArn }, token: 'aoa-pro-1' })).toBe(200)
    expect(await outcome({ members: { profileArn } })).toBe('REQUEST_BODY_INVALID')
  })

  it.each([
    ['schema-words', { city: { additionalProperties: false } }],
    ['rich-schemas', { city: { type: 'string', pattern: '^B' } }],
  ])('may have schemas refused: %s', async (refused, properties) => {
    expect(await outcome({ tools: [toTool('a', properties)] })).toBe(200)
    const headers = { 'x-simulate': `refuse=${refused}` }
    expect(await outcome({ headers, tools: [toTool('a', properties)] })).toBe('TOOL_SCHEMA_INVALID')
    expect(await outcome({ headers, tools: [toTool('a', { pattern: { type: 'string' } })] })).toBe(200)
  })
})

async function send(path: string, init: RequestInit): Promise<readonly unknown[]> {
  const response = await fetch(new URL(path, simulator.url), { method: 'POST', ...init })
  const body = (await response.json()) as Record<string, unknown>
  const name = response.headers.get('x-amzn-errortype') ?? body['__type']
  return [response.status, name]
}

describe('a request', () => {
  const headers = callHeaders('GenerateAssistantResponse', TOKEN)
  const SPACE = 'com.amazon.aws.codewhisperer#'

  it('must be of an operation that there is, in JSON of version 1.0', async () => {
    const target = { ...headers, 'x-amz-target': 'AmazonCodeWhispererStreamingService.Nothing' }
    expect(await send('/', { headers: target, body: '{}' })).toEqual([404, `${SPACE}UnknownOperationException`])
    expect(await send('/nothing', { headers, body: '{}' })).toEqual([404, 'UnknownOperationException'])
    const type = { ...headers, 'content-type': 'application/json' }
    expect(await send('/', { headers: type, body: '{}' })).toEqual([400, `${SPACE}ValidationException`])
    expect(await send('/', { headers, body: '{"a' })).toEqual([400, `${SPACE}SerializationException`])
    expect(await send('/generateAssistantResponse', { headers, body: '[]' })).toEqual([400, 'ValidationException'])
  })

  it.each(['', 'Bearer', 'Bearer unknown', 'Basic aoa-test-1', 'Bearer aoa-expired-1', 'Bearer ksk_test'])(
    'needs a bearer that is good: %j is not',
    async authorization => {
      const seen = await send('/', { headers: { ...headers, authorization }, body: '{}' })
      expect(seen).toEqual([403, `${SPACE}AccessDeniedException`])
    },
  )

  it('says of keys that they are keys', async () => {
    const asKey = { tokentype: 'API_KEY' }
    expect((await askAmazonQ(simulator, '', { token: 'ksk_test', headers: asKey })).status).toBe(200)
    expect((await askAmazonQ(simulator, '', { headers: asKey })).status).toBe(403)
    expect((await askAmazonQ(simulator, '', { headers: { tokentype: 'EXTERNAL_IDP' } })).status).toBe(200)
  })

  it('has no other bearer than the one that was demanded', async () => {
    await using strict = await startAmazonQSimulator({ apiKey: 'test-key' })
    const { accessToken } = strict.control.issueTokens({ account: 'pro-1' })
    const statuses = await Promise.all(
      ['test-key', TOKEN, accessToken].map(async token => (await askAmazonQ(strict, '', { token })).status),
    )
    expect(statuses).toEqual([200, 403, 200])
  })
})
