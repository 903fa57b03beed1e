import { expect, test } from 'vitest'
import { GatewayError, type ChatRequest } from '@millrace/core'
import { toConversation, type ConversationOptions } from './index.ts'

type Message = ChatRequest['messages'][number]

const OPTIONS: ConversationOptions = {
  conversationId: '5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e12',
  modelId: 'claude-sonnet-4.5',
  origin: 'CLI',
  profileArn: undefined,
  flavour: 'rest',
  signal: new AbortController().signal,
}

const user = (content: Message['content'] = 'u'): Message => ({ role: 'user', content })
const says = (content: string): Message => ({ role: 'assistant', content })
const system = (content: string): Message => ({ role: 'system', content })
const result = (id: string, content: Message['content'] = `of ${id}`): Message => ({
  role: 'tool',
  tool_call_id: id,
  content,
})
const call = (id: string, name = 'look', text: unknown = '{}'): { id: string; type: string; function: object } => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})
const calls = (...ids: readonly string[]): Message => ({
  role: 'assistant',
  content: 'I look.',
  tool_calls: ids.map(id => call(id)),
})
const tool = (name: string, members: object = {}): { type: string; function: { name: string } } => ({
  type: 'function',
  function: { name, ...members },
})
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const image = (url: unknown = `data:image/png;base64,${PNG}`): { type: string; image_url: unknown } => ({
  type: 'image_url',
  image_url: { url },
})

async function bodyOf(messages: readonly Message[], members: object = {}, options = OPTIONS): Promise<string> {
  const request = { model: 'M', messages: [...messages], ...members }
  return (await toConversation(request, options)).body.toString()
}

interface Said {
  readonly content: string
  readonly images?: readonly unknown[]
  readonly toolUses?: readonly { toolUseId: string; name: string; input: unknown }[]
  readonly userInputMessageContext?: {
    readonly toolResults?: readonly { toolUseId: string; status: string; content: readonly { text: string }[] }[]
    readonly tools?: readonly { toolSpecification: { name: string; description: string; inputSchema: object } }[]
  }
}

/** What each side says in turn, the current message last. */
async function saidIn(messages: readonly Message[], members: object = {}): Promise<readonly Said[]> {
  const { conversationState } = JSON.parse(await bodyOf(messages, members)) as {
    conversationState: { history?: object[]; currentMessage: object }
  }
  return [...(conversationState.history ?? []), conversationState.currentMessage].map(
    message => Object.values(message)[0] as Said,
  )
}

async function textsIn(messages: readonly Message[], members: object = {}): Promise<readonly string[]> {
  return (await saidIn(messages, members)).map(({ content }) => content)
}

async function refusalOf(messages: readonly Message[], members: object = {}): Promise<unknown> {
  const error: unknown = await bodyOf(messages, members).catch((error: unknown) => error)
  if (!(error instanceof GatewayError)) throw new Error('Nothing was refused.')
  return { status: error.status, code: error.code, param: error.param, message: error.message }
}

const GET_WEATHER = tool('get_weather', {
  description: 'Current weather of a city',
  parameters: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['c', 'f'] } },
    required: ['city'],
    additionalProperties: false,
  },
})
const GET_TIME = tool('get_time', { description: 'Local time' })
const SPECIFICATIONS =
  '[{"toolSpecification":{"name":"get_weather","description":"Current weather of a city","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["c","f"]}},"required":["city"]}}}},' +
  '{"toolSpecification":{"name":"get_time","description":"Local time","inputSchema":{"json":{"type":"object","properties":{}}}}}]'

test('a question with tools, byte for byte', async () => {
  expect(await bodyOf([user('Weather and time in Paris?')], { tools: [GET_WEATHER, GET_TIME] })).toBe(
    '{"conversationState":{"conversationId":"5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e12","chatTriggerType":"MANUAL",' +
      '"currentMessage":{"userInputMessage":{"content":"Weather and time in Paris?","origin":"CLI","modelId":"claude-sonnet-4.5",' +
      `"userInputMessageContext":{"tools":${SPECIFICATIONS}}}}}}`,
  )
})

test('results of two tools, byte for byte', async () => {
  const messages: Message[] = [
    user('Weather and time in Paris?'),
    {
      role: 'assistant',
      content: 'Let me look that up.',
      tool_calls: [
        call('tooluse_7QmWkq1xRZmP0a8yT2sBcA', 'get_weather', '{"city": "Paris", "unit": "c"}'),
        call('tooluse_Zk4nV9yTQyW6c1uE5hXoJg', 'get_time', ''),
      ],
    },
    result('tooluse_Zk4nV9yTQyW6c1uE5hXoJg', '14:05'),
    result('tooluse_7QmWkq1xRZmP0a8yT2sBcA', '18 C, cloudy'),
  ]
  expect(await bodyOf(messages, { tools: [GET_WEATHER, GET_TIME] })).toBe(
    '{"conversationState":{"conversationId":"5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e12","chatTriggerType":"MANUAL","history":[' +
      '{"userInputMessage":{"content":"Weather and time in Paris?","origin":"CLI"}},' +
      '{"assistantResponseMessage":{"content":"Let me look that up.","toolUses":[' +
      '{"toolUseId":"tooluse_7QmWkq1xRZmP0a8yT2sBcA","name":"get_weather","input":{"city":"Paris","unit":"c"}},' +
      '{"toolUseId":"tooluse_Zk4nV9yTQyW6c1uE5hXoJg","name":"get_time","input":{}}]}}],' +
      '"currentMessage":{"userInputMessage":{"content":"Tool results are attached.","origin":"CLI","modelId":"claude-sonnet-4.5",' +
      '"userInputMessageContext":{"toolResults":[' +
      '{"toolUseId":"tooluse_7QmWkq1xRZmP0a8yT2sBcA","status":"success","content":[{"text":"18 C, cloudy"}]},' +
      '{"toolUseId":"tooluse_Zk4nV9yTQyW6c1uE5hXoJg","status":"success","content":[{"text":"14:05"}]}],' +
      `"tools":${SPECIFICATIONS}}}}}}`,
  )
})

test('a system prompt and an image, byte for byte', async () => {
  const messages = [system('Answer in one word.'), user([{ type: 'text', text: 'What colour is this?' }, image()])]
  expect(await bodyOf(messages)).toBe(
    '{"conversationState":{"conversationId":"5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e12","chatTriggerType":"MANUAL","history":[' +
      '{"userInputMessage":{"content":"Answer in one word.","origin":"CLI"}},' +
      '{"assistantResponseMessage":{"content":"Understood."}}],' +
      '"currentMessage":{"userInputMessage":{"content":"What colour is this?","origin":"CLI","modelId":"claude-sonnet-4.5",' +
      `"images":[{"format":"png","source":{"bytes":"${PNG}"}}]}}}}`,
  )
})

test('without a model the service chooses; the profile stands beside the conversation, and the mode where bodies hold it', async () => {
  const options = { ...OPTIONS, modelId: undefined, profileArn: 'arn:aws:codewhisperer:us-east-1:1:profile/A' } as const
  const state =
    '{"conversationState":{"conversationId":"5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e12","chatTriggerType":"MANUAL",' +
    '"currentMessage":{"userInputMessage":{"content":"u","origin":"CLI"}}},"profileArn":"arn:aws:codewhisperer:us-east-1:1:profile/A"'
  expect(await bodyOf([user()], {}, options)).toBe(`${state}}`)
  expect(await bodyOf([user()], {}, { ...options, flavour: 'json' })).toBe(`${state},"agentMode":"vibe"}`)
})

test.for<[rule: string, messages: readonly Message[], texts: readonly string[]]>([
  [
    'sides alternate: neighbours of one side are merged',
    [user('a'), user('b'), says('c'), says('d'), user('e')],
    ['a\n\nb', 'c\n\nd', 'e'],
  ],
  [
    'text parts are joined by line breaks',
    [
      user([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
    ],
    ['a\nb'],
  ],
  ['the user speaks first', [says('a'), user('b')], ['The conversation begins with your words.', 'a', 'b']],
  ['the system prompt is what the user says first', [system('s'), says('a'), user('b')], ['s', 'a', 'b']],
  ['the user speaks last', [user('a'), says('b')], ['a', 'b', 'Continue.']],
  [
    'instructions at the beginning are one',
    [system('s'), { role: 'developer', content: 't' }, user('a')],
    ['s\n\nt', 'Understood.', 'a'],
  ],
  ['instructions alone are the message', [system('s')], ['s']],
  ['later instructions are words of the user', [user('a'), says('b'), system('s'), user('c')], ['a', 'b', 's\n\nc']],
  [
    'messages that say nothing are left out',
    [user('a'), says(''), user(' \n'), user('b'), { role: 'assistant', content: null }],
    ['a\n\nb'],
  ],
  ['a conversation of nothing goes on', [user('')], ['Continue.']],
  ['a blank system prompt is none', [system(' '), user('a')], ['a']],
  ['results of tools need words', [user('a'), calls('1'), result('1')], ['a', 'I look.', 'Tool results are attached.']],
  [
    'words next to results are those of the user',
    [user('a'), calls('1'), result('1'), user('b')],
    ['a', 'I look.', 'b'],
  ],
  [
    'calls need words',
    [user('a'), { ...calls('1'), content: null }, result('1')],
    ['a', 'Let me do that.', 'Tool results are attached.'],
  ],
  ['images need words', [user([image()])], ['Images are attached.']],
  [
    'a refusal is what the assistant said',
    [user('a'), { role: 'assistant', content: null, refusal: 'No.' }, user('b')],
    ['a', 'No.', 'b'],
  ],
  [
    'halves of characters are replaced',
    [user('a\ud83d'), says('\ude00b'), user('\ud83d\ude00')],
    ['a\ufffd', '\ufffdb', '\ud83d\ude00'],
  ],
])('%s', async ([, messages, texts]) => {
  expect(await textsIn(messages)).toEqual(texts)
})

test.for<[rule: string, messages: readonly Message[], results: object, text: string]>([
  [
    'results come in the order of the calls',
    [user(), calls('1', '2'), result('2'), result('1')],
    { 1: ['of 1'], 2: ['of 2'] },
    'Tool results are attached.',
  ],
  [
    'a result behind words is still in its turn',
    [user(), calls('1'), user('quick'), result('1')],
    { 1: ['of 1'] },
    'quick',
  ],
  [
    'calls of two messages are answered together',
    [user(), calls('1'), calls('2'), result('1'), result('2')],
    { 1: ['of 1'], 2: ['of 2'] },
    'Tool results are attached.',
  ],
  [
    'two results of one call are both kept',
    [user(), calls('1'), result('1', 'a'), result('1', 'b')],
    { 1: ['a', 'b'] },
    'Tool results are attached.',
  ],
  [
    'two calls of one id have a result each',
    [user(), calls('1', '1'), result('1', 'a'), result('1', 'b')],
    { 1: ['a'], '1_2': ['b'] },
    'Tool results are attached.',
  ],
  [
    'an id used again is another',
    [user(), calls('1'), result('1'), calls('1'), result('1', 'b')],
    { '1_2': ['b'] },
    'Tool results are attached.',
  ],
  [
    'a call without a result was cancelled',
    [user(), calls('1', '2'), result('2')],
    { 1: ['The call was cancelled: there is no result.'], 2: ['of 2'] },
    'Tool results are attached.',
  ],
  [
    'calls at the end were cancelled',
    [user(), calls('1')],
    { 1: ['The call was cancelled: there is no result.'] },
    'Tool results are attached.',
  ],
  [
    'no output is told in words',
    [user(), calls('1'), result('1', '')],
    { 1: ['The tool gave no output.'] },
    'Tool results are attached.',
  ],
  [
    'an image is an output, too',
    [user(), calls('1'), result('1', [image()])],
    { 1: ['The output is attached as images.'] },
    'Tool results are attached.',
  ],
  [
    'a result of no call is words of the user',
    [user(), calls('1'), result('1'), result('9')],
    { 1: ['of 1'] },
    'Output of an earlier tool call:\nof 9',
  ],
  [
    'ids are made acceptable on both sides',
    [user(), calls('call:1.x'), result('call:1.x', 'a')],
    { call_1_x: ['a'] },
    'Tool results are attached.',
  ],
])('%s', async ([, messages, results, text]) => {
  const { content, userInputMessageContext } = (await saidIn(messages)).at(-1)!
  const sent = userInputMessageContext?.toolResults ?? []
  expect(sent.map(({ toolUseId, content }) => [toolUseId, content.map(({ text }) => text)])).toEqual(
    Object.entries(results),
  )
  expect(sent.filter(({ status }) => status === 'error').map(({ content }) => content[0]?.text)).toEqual(
    Object.values(results as Record<string, string[]>)
      .flat()
      .filter(text => text.startsWith('The call was cancelled')),
  )
  expect(content).toBe(text)
})

test('a history that begins with the result of a tool has it as words', async () => {
  const [first] = await saidIn([result('1'), says('a'), user('b')])
  expect(first).toEqual({ content: 'Output of an earlier tool call:\nof 1', origin: 'CLI' })
})

test.for<[rule: string, given: unknown, input: unknown]>([
  ['objects as they are', '{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
  ['nothing as no arguments', undefined, {}],
  ['an object that is not in a string', { a: 1 }, { a: 1 }],
  ['half of an object as text', '{"a":"b', { arguments: '{"a":"b' }],
  ['other JSON as text', '[1]', { arguments: '[1]' }],
  ['members without a name under another', '{"" : {"":1}}', { _: { _: 1 } }],
  [
    'halves of characters replaced',
    String.raw`{"a\ud83d":"\ude00","b":"\ud83d\ude00"}`,
    { 'a\ufffd': '\ufffd', b: '😀' },
  ],
])('arguments of calls are objects: %s', async ([, given, input]) => {
  const messages: Message[] = [user(), { role: 'assistant', tool_calls: [call('1', 'look', given)] }, result('1')]
  expect((await saidIn(messages))[1]?.toolUses).toEqual([{ toolUseId: '1', name: 'look', input }])
})

test('tools stand on the current message only', async () => {
  const said = await saidIn([user(), calls('1'), result('1'), says('a'), user('b')], { tools: [tool('look')] })
  expect(said.map(({ userInputMessageContext }) => userInputMessageContext?.tools?.length)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    1,
  ])
})

test('tools of the history that are not offered any more are there, and not to be called', async () => {
  const said = await saidIn([user(), calls('1'), result('1')], { tools: [tool('other')] })
  const specifications = said.at(-1)!.userInputMessageContext!.tools!.map(({ toolSpecification }) => toolSpecification)
  expect(specifications.map(({ name, description }) => [name, description])).toEqual([
    ['other', 'Tool: other'],
    ['look', 'This tool is not available any more. Do not call it.'],
  ])
})

test('tool_choice "none": no tools where the history knows none, and else a word about it', async () => {
  const members = { tools: [tool('look'), tool('other')], tool_choice: 'none' }
  expect((await saidIn([user()], members))[0]!.userInputMessageContext).toBeUndefined()

  const said = await saidIn([user(), calls('1'), result('1')], members)
  expect(said[0]!.content).toBe('Do not call any tool now: answer in words.')
  expect(said.at(-1)!.userInputMessageContext?.tools?.map(({ toolSpecification }) => toolSpecification.name)).toEqual([
    'look',
  ])
})

test('names that are too long or not acceptable are changed everywhere, and can be changed back', async () => {
  const long = `mcp__${'a'.repeat(80)}`
  const request = {
    model: 'M',
    messages: [user(), { role: 'assistant' as const, tool_calls: [call('1', long), call('2', 'my.tool')] }],
    tools: [tool(long), tool('my.tool'), tool('fine-name')],
  }
  const { body, toolNames } = await toConversation(request, OPTIONS)
  expect([...toolNames.values()]).toEqual([long, 'my.tool'])
  const { conversationState } = JSON.parse(body.toString()) as { conversationState: Record<string, unknown> }
  for (const sent of toolNames.keys()) {
    expect(sent).toMatch(/^[a-zA-Z][\w-]{0,63}$/)
    expect(JSON.stringify(conversationState['history'])).toContain(`"name":"${sent}"`)
    expect(JSON.stringify(conversationState['currentMessage'])).toContain(`"name":"${sent}"`)
  }
})

test('what does not fit into a description goes on in the system prompt', async () => {
  const description = `${'a'.repeat(9999)}😀 the rest`
  const [first, , last] = await saidIn([system('s'), user()], { tools: [tool('look', { description })] })
  expect(last!.userInputMessageContext?.tools?.[0]?.toolSpecification.description).toBe('a'.repeat(9999))
  expect(first!.content).toBe('s\n\nThe description of the tool "look" goes on:\n😀 the rest')
})

test('a blank description is one', async () => {
  const [said] = await saidIn([user()], { tools: [tool('look', { description: ' ' })] })
  expect(said!.userInputMessageContext?.tools?.[0]?.toolSpecification.description).toBe('Tool: look')
})

test('an output is cut where the service stops to take it, and the model is told', async () => {
  const said = await saidIn([user(), calls('1'), result('1', 'a'.repeat(400_010))])
  const text = said.at(-1)!.userInputMessageContext!.toolResults![0]!.content[0]!.text
  expect(text).toBe(`${'a'.repeat(400_000)}\n[The output goes on for 10 characters, which are left out here.]`)
})

test('images of merged messages and of results are in their turn, in their order', async () => {
  const other = (format: string): object => image(`data:image/${format};base64,AAAA`)
  const said = await saidIn([
    user([image(), { type: 'text', text: 'a' }] as Message['content']),
    user([other('jpg')] as Message['content']),
    calls('1'),
    result('1', [{ type: 'text', text: 'b' }, other('webp')] as Message['content']),
    user([other('gif')] as Message['content']),
  ])
  const source = { bytes: 'AAAA' }
  expect(said.map(({ images }) => images)).toEqual([
    [
      { format: 'png', source: { bytes: PNG } },
      { format: 'jpeg', source },
    ],
    undefined,
    [
      { format: 'webp', source },
      { format: 'gif', source },
    ],
  ])
})

test.for<[what: string, messages: readonly Message[], members: object, code: string, param: string, message: RegExp]>([
  [
    'an image that is no data URL',
    [user([image('https://example.org/a.png')])],
    {},
    'invalid_value',
    'messages[0].content[0].image_url',
    /send the image itself, as "data:/,
  ],
  [
    'a part that is no text',
    [user(), user([{ type: 'input_audio' }])],
    {},
    'unsupported_parameter',
    'messages[1].content[0]',
    /text and images, no "input_audio"/,
  ],
  [
    'an image of the assistant',
    [user(), { role: 'assistant', content: [image()] }],
    {},
    'unsupported_parameter',
    'messages[1].content[0]',
    /takes text, no "image_url"/,
  ],
  [
    'text that is none',
    [user([{ type: 'text', text: 1 }])],
    {},
    'invalid_value',
    'messages[0].content[0].text',
    /must be a string/,
  ],
  [
    'more images than a turn may have',
    [says('a'), user(Array.from({ length: 6 }, () => image())), user(Array.from({ length: 5 }, () => image()))],
    {},
    'invalid_value',
    'messages[1].content',
    /11 images, and Amazon Q takes 10 in one: send fewer/,
  ],
  [
    'words over the limit',
    [says('a'), user('a'.repeat(10_000_001))],
    {},
    'context_length_exceeded',
    'messages[1].content',
    /10000001 characters, and Amazon Q takes 10000000: shorten it/,
  ],
  [
    'a system prompt over the limit',
    [system('a'.repeat(10_000_001)), user()],
    {},
    'context_length_exceeded',
    'messages[0].content',
    /shorten it/,
  ],
  [
    'a result that names no call',
    [user(), { role: 'tool', content: 'x' }],
    {},
    'missing_required_parameter',
    'messages[1].tool_call_id',
    /needs the id of the call/,
  ],
  [
    'a call without an id',
    [user(), { role: 'assistant', tool_calls: [{ function: { name: 'a' } }] }],
    {},
    'missing_required_parameter',
    'messages[1].tool_calls[0].id',
    /needs an id/,
  ],
  [
    'a call without a name',
    [user(), { role: 'assistant', tool_calls: [{ id: '1' }] }],
    {},
    'missing_required_parameter',
    'messages[1].tool_calls[0].function.name',
    /needs the name/,
  ],
  [
    'a call of no function',
    [user(), { role: 'assistant', tool_calls: [{ id: '1', type: 'custom' }] }],
    {},
    'unsupported_parameter',
    'messages[1].tool_calls[0].type',
    /leave other calls/,
  ],
  [
    'a tool that is no function',
    [user()],
    { tools: [tool('a'), { type: 'web_search' }] },
    'unsupported_parameter',
    'tools[1]',
    /describe it as a function, or leave it out/,
  ],
  [
    'two tools of one name',
    [user()],
    { tools: [tool('a'), tool('a')] },
    'invalid_value',
    'tools[1].function.name',
    /rename one of them/,
  ],
  [
    'a tool schema that is too large',
    [user()],
    { tools: [tool('a', { parameters: { type: 'object', description: 'x'.repeat(96_000) } })] },
    'invalid_value',
    'tools[0].function.parameters',
    /96000 is the most: shorten/,
  ],
])('%s is refused, with what to change', async ([, messages, members, code, param, message]) => {
  expect(await refusalOf(messages, members)).toEqual({
    status: 400,
    code,
    param,
    message: expect.stringMatching(message),
  })
})

test('what nobody waits for any more is not mapped', async () => {
  const controller = new AbortController()
  const mapped = toConversation({ model: 'M', messages: [user()] }, { ...OPTIONS, signal: controller.signal })
  controller.abort()
  await expect(mapped).rejects.toMatchObject({ code: 'aborted' })
})
