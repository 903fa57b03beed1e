import type { OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { gatewayWithAmazonQ } from './gateway-with-amazon-q.ts'

const world = gatewayWithAmazonQ(service => ({ 'amazon-q': { ...service, accessToken: 'aoa-canary' } }), {
  server: { bodyLimit: '16MiB' },
})

type Message = OpenAI.Chat.ChatCompletionMessageParam

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const said = (content: unknown): Message => ({ role: 'user', content }) as Message
const picture = (url: string, count = 1): { readonly messages: Message[] } => ({
  messages: [said(Array.from({ length: count }, () => ({ type: 'image_url', image_url: { url } })))],
})
const tool = (name: string, parameters: object = { type: 'object', properties: {} }): object => ({
  type: 'function',
  function: { name, parameters },
})
const calling = (id: string, name = 'read'): Message => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: '{"path":"a.md"}' } }],
})
const result = (id: string | undefined, content = 'one line'): Message =>
  ({ role: 'tool', tool_call_id: id, content }) as Message

interface Refusal {
  readonly members: object
  readonly code: string
  readonly param: string
  /** What tells the caller what to change. */
  readonly words: RegExp
}

const invalid = { code: 'invalid_value' }
const unsupported = { code: 'unsupported_parameter' }
const missing = { code: 'missing_required_parameter' }

/** What is wrong → how it is refused, always with 400. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  'an image somewhere in the web': {
    ...invalid,
    members: picture('https://example.com/a.png'),
    param: 'messages[0].content[0].image_url',
    words: /fetches nothing: send the image itself, as "data:image\/png;base64,…"/,
  },
  'an image of a format that is not taken': {
    ...invalid,
    members: picture(`data:image/bmp;base64,${PIXEL}`),
    param: 'messages[0].content[0].image_url',
    words: /send a PNG, JPEG, GIF or WebP/,
  },
  'an image that is no base64': {
    ...invalid,
    members: picture('data:image/png;base64,***'),
    param: 'messages[0].content[0].image_url',
    words: /encode the image again/,
  },
  'an image that is too large': {
    ...invalid,
    members: picture(`data:image/png;base64,${Buffer.alloc(10_000_001).toString('base64')}`),
    param: 'messages[0].content[0].image_url',
    words: /takes 10000000: send a smaller one/,
  },
  'too many images': {
    ...invalid,
    members: picture(`data:image/png;base64,${PIXEL}`, 11),
    param: 'messages[0].content',
    words: /11 images, and Amazon Q takes 10 in one: send fewer/,
  },
  sound: {
    ...unsupported,
    members: { messages: [said([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])] },
    param: 'messages[0].content[0]',
    words: /text|image/,
  },
  'a schema that is too large': {
    ...invalid,
    members: {
      tools: [
        tool('read', { type: 'object', properties: { path: { type: 'string', description: 'x'.repeat(96_000) } } }),
      ],
    },
    param: 'tools[0].function.parameters',
    words: /96000 is the most: shorten its descriptions and enums/,
  },
  'two tools of one name': {
    ...invalid,
    members: { tools: [tool('read'), tool('read')] },
    param: 'tools[1].function.name',
    words: /rename one of them/,
  },
  'a tool of another type': {
    ...unsupported,
    members: { tools: [{ type: 'custom', custom: { name: 'patch' } }] },
    param: 'tools[0]',
    words: /describe it as a function, or leave it out/,
  },
  'a result without the id of its call': {
    ...missing,
    members: { messages: [said('Read.'), calling('call_1'), result(undefined)] },
    param: 'messages[2].tool_call_id',
    words: /needs the id of the call that it answers/,
  },
  'a call without an id': {
    ...missing,
    members: { messages: [said('Read.'), calling(''), result('call_1')] },
    param: 'messages[1].tool_calls[0].id',
    words: /needs an id that its result names/,
  },
  'content over the limit': {
    code: 'context_length_exceeded',
    members: { messages: [said('x'.repeat(10_000_001))] },
    param: 'messages[0].content',
    words: /takes 10000000: shorten it/,
  },
  'several choices': { ...unsupported, members: { n: 2 }, param: 'n', words: /ask once for each choice/ },
  'a call that must be': {
    ...unsupported,
    members: { tools: [tool('read')], tool_choice: 'required' },
    param: 'tool_choice',
    words: /ask for the call in words/,
  },
  'a call of one tool that must be': {
    ...unsupported,
    members: { tools: [tool('read')], tool_choice: { type: 'function', function: { name: 'read' } } },
    param: 'tool_choice',
    words: /only the tools in question/,
  },
  'an answer by a schema': {
    ...unsupported,
    members: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } } },
    param: 'response_format',
    words: /describe the format in words and check the answer/,
  },
  'an answer in JSON': {
    ...unsupported,
    members: { response_format: { type: 'json_object' } },
    param: 'response_format',
    words: /describe the format in words/,
  },
  probabilities: { ...unsupported, members: { logprobs: true }, param: 'logprobs', words: /leave this out/ },
  'an effort of no known name': {
    ...invalid,
    members: { reasoning_effort: 'enormous' },
    param: 'reasoning_effort',
    words: /one of none, minimal, low, medium, high/,
  },
}

describe.for(Object.entries(REFUSALS))('%s', ([, { members, code, param, words }]) => {
  test.for([true, false])('is refused with what to change, and nothing goes up (stream: %s)', async stream => {
    const { failure } = await ask(world.client(), 'Hello', { ...members, stream })
    expect(failure).toMatchObject({ status: 400, code, param, type: 'invalid_request_error' })
    expect(failure!.message).toMatch(words)
    expect(failure!.headers?.get('x-should-retry')).toBe('false')
    expect((await world.amazonQ.state()).stats.chats).toBe(0)
  })
})

/** Conversations that the strict service would refuse as they are. */
const MENDED: Readonly<Record<string, readonly Message[]>> = {
  'that begins with the assistant': [{ role: 'assistant', content: 'How can I help?' }, said('Hello')],
  'that ends with the assistant': [said('Hello'), { role: 'assistant', content: 'The mill' }],
  'of nothing but a system prompt': [{ role: 'system', content: 'Be brief.' }],
  'with a result whose call is not there': [said('Hello'), result('call_gone', 'a lost line'), said('And now?')],
  'with a call that nobody answered': [said('Read.'), calling('call_1'), said('Never mind.')],
  'with a call of a tool that is not offered any more': [said('Read.'), calling('call_1', 'gone'), result('call_1')],
  'with two users in a row': [said('One.'), said('Two.')],
  'with empty messages': [said(''), { role: 'assistant', content: '' }, said('Hello')],
  'with results in another order': [
    said('Read.'),
    {
      role: 'assistant',
      content: null,
      tool_calls: ['a', 'b'].map(id => ({ id, type: 'function', function: { name: 'read', arguments: '{}' } })),
    },
    result('b', 'second'),
    result('a', 'first'),
  ],
  'with ids that the service does not take': [
    said('Read.'),
    calling('call:1/x'.repeat(20)),
    result('call:1/x'.repeat(20)),
  ],
  'with half an emoji': [said('Half \ud83d of it')],
}

describe.for(Object.entries(MENDED))('a conversation %s', ([, messages]) => {
  test.for([true, false])('is answered all the same (stream: %s)', async stream => {
    const seen = await ask(world.client(), '', { messages: [...messages], tools: [tool('read')], stream })
    expect(seen).toMatchObject({ failure: undefined, finish: expect.stringMatching(/^(?:stop|tool_calls)$/) })
  })
})

test('what Amazon Q has no setting for is ignored', async () => {
  const members = {
    temperature: 1.9,
    top_p: 0.1,
    seed: 7,
    max_tokens: 3,
    max_completion_tokens: 3,
    frequency_penalty: 1,
    presence_penalty: -1,
    user: 'somebody',
    metadata: { a: 'b' },
    store: false,
    service_tier: 'auto',
    parallel_tool_calls: false,
    verbosity: 'low',
    prompt_cache_key: 'a key',
    safety_identifier: 'somebody',
    cache_control: { type: 'ephemeral' },
    unheard_of: [1, 2],
    n: 1,
    logprobs: false,
    logit_bias: {},
    tool_choice: 'auto',
    response_format: { type: 'text' },
  }
  for (const stream of [true, false]) {
    const seen = await ask(world.client(), '[say All the words of it.]', { ...members, stream })
    expect(seen).toMatchObject({ text: 'All the words of it.', finish: 'stop', failure: undefined })
    const { lastRequest } = (await world.amazonQ.state()).stats
    expect(Object.keys(JSON.parse(lastRequest!.body) as object)).toEqual(['conversationState', 'agentMode'])
    expect(lastRequest!.body).not.toMatch(/temperature|somebody|ephemeral|unheard/)
  }
})

test('an image of a data URL reaches the service', async () => {
  const messages = [
    said([
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
    ]),
  ]
  expect(await ask(world.client(), '', { messages })).toMatchObject({ finish: 'stop', failure: undefined })
  const { lastRequest } = (await world.amazonQ.state()).stats
  expect(JSON.parse(lastRequest!.body)).toMatchObject({
    conversationState: {
      currentMessage: {
        userInputMessage: { content: 'What is it?', images: [{ format: 'png', source: { bytes: PIXEL } }] },
      },
    },
  })
})

test('a conversation that is too long for the service is told so', async () => {
  await world.amazonQ.control({ setService: { maxCharacters: 1000 } })
  const { failure } = await ask(world.client(), 'x'.repeat(1001))
  expect(failure).toMatchObject({ status: 400, code: 'context_length_exceeded' })
  // What clients look for before they shorten a conversation by themselves.
  expect(failure!.message).toMatch(/maximum context length/)
})

test('a body that is no chat completion is refused before anybody is asked', async () => {
  for (const [body, code] of [
    ['{"model":"amazon-q"}', 'missing_required_parameter'],
    ['{"model":"amazon-q","messages":[]}', 'invalid_value'],
    ['{"model":"amazon-q","messages":"Hello"}', 'invalid_value'],
    ['{"model":"amazon-q","messages":[{"role":"wizard","content":"x"}]}', 'invalid_value'],
    ['{"model":"amazon-q"', 'invalid_json'],
  ] as const) {
    const response = await fetch(`${world.gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer test-key-of-a-client-canary' },
      body,
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code } })
  }
  expect((await world.amazonQ.state()).stats.chats).toBe(0)
})
