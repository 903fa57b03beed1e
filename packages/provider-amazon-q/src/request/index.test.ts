import { expect, test } from 'vitest'
import { toConversation } from './index.ts'
import {
  bodyOf,
  call,
  image,
  OPTIONS,
  PNG,
  result,
  system,
  tool,
  user,
  type Message,
} from '../testing/conversations.ts'

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

test('what nobody waits for any more is not mapped', async () => {
  const controller = new AbortController()
  const mapped = toConversation({ model: 'M', messages: [user()] }, { ...OPTIONS, signal: controller.signal })
  controller.abort()
  await expect(mapped).rejects.toMatchObject({ code: 'aborted' })
})
