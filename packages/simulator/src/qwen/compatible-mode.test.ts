import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Reply } from '../ask-simulator.ts'
import { askQwen, faultOf } from './ask-qwen.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const USER = { role: 'user', content: 'Does the mill run?' }
const toTool = (name: string, more: object = {}): object => ({ type: 'function', function: { name }, ...more })
const cached = { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }
const toCall = (args: string): object => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'look', arguments: args },
})
const RESULT = { role: 'tool', tool_call_id: 'call_1', content: 'seen' }

function ask(members: object, model = 'qwen3-coder-plus', stream = true): Promise<Reply> {
  return askQwen(simulator, model, { members, stream })
}

describe('parameters', () => {
  it.each([
    ['max_tokens', { max_tokens: 65_537 }, 'Range of max_tokens should be [1, 65536]'],
    ['max_tokens', { max_tokens: 0 }, 'Range of max_tokens should be [1, 65536]'],
    ['temperature', { temperature: 2 }, 'Range of temperature should be [0.0, 2.0)'],
    ['temperature', { temperature: -0.1 }, 'Range of temperature should be [0.0, 2.0)'],
    ['temperature', { temperature: '1' }, 'Range of temperature should be [0.0, 2.0)'],
    ['top_p', { top_p: 0 }, 'Range of top_p should be (0.0, 1.0]'],
    ['top_p', { top_p: 1.1 }, 'Range of top_p should be (0.0, 1.0]'],
    ['presence_penalty', { presence_penalty: 3 }, 'Range of presence_penalty should be [-2.0, 2.0]'],
    ['n', { n: 5 }, 'Range of n should be [1, 4]'],
    ['n with tools', { n: 2, tools: [toTool('look')] }, 'n must be 1 with tools'],
    ['empty tools', { tools: [] }, "[] is too short - 'tools'"],
    ['a tool named search', { tools: [toTool('search')] }, "Tool name 'search' is not allowed"],
    ['a tool with a blank', { tools: [toTool('look up')] }, "Tool name 'look up' is not allowed"],
    [
      'tool_choice',
      { tools: [toTool('look')], tool_choice: 'required' },
      'The tool_choice parameter does not support being set to required',
    ],
    [
      'json_object',
      { response_format: { type: 'json_object' } },
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    ],
    [
      'the role developer',
      { messages: [{ role: 'developer', content: 'be brief' }, USER] },
      "'developer' is not one of ['system', 'user', 'assistant', 'tool'] - 'messages.0.role'",
    ],
    [
      'cache markers',
      {
        messages: [{ role: 'user', content: Array.from({ length: 4 }, () => cached) }],
        tools: [toTool('look', cached)],
      },
      'There are 5 cache_control markers; 4 is the most.',
    ],
    [
      'a result without a call',
      { messages: [USER, RESULT] },
      'messages with role "tool" must be a response to a preceding message with "tool_calls".',
    ],
    ['no messages', { messages: [] }, "Missing required parameter: 'messages'."],
  ])('%s %#', async (_, members, message) => {
    expect(faultOf(await ask(members))).toEqual([400, 'invalid_parameter_error', message])
  })

  it.each([
    ['the greatest values', { max_tokens: 65_536, temperature: 1.99, top_p: 1, n: 4 }],
    ['the least values', { max_tokens: 1, temperature: 0, top_p: 0.01, presence_penalty: -2 }],
    ['null', { max_tokens: null, temperature: null, top_p: null }],
    [
      'json_object',
      { response_format: { type: 'json_object' }, messages: [{ role: 'user', content: 'JSON, please' }] },
    ],
    ['four cache markers', { messages: [{ role: 'user', content: Array.from({ length: 4 }, () => cached) }] }],
    ['tool_choice', { tools: [toTool('look')], tool_choice: { type: 'function', function: { name: 'look' } } }],
    ['results', { messages: [USER, { role: 'assistant', content: '', tool_calls: [toCall('{}')] }, RESULT, RESULT] }],
    ['what is ignored', { frequency_penalty: 9, store: true, metadata: {}, user: 'u', reasoning_effort: 'low' }],
  ])('%s: taken', async (_, members) => expect((await ask(members)).status).toBe(200))

  it('are those of the model', async () => {
    expect(faultOf(await ask({ max_tokens: 8193 }, 'qwen-max'))[2]).toBe('Range of max_tokens should be [1, 8192]')
    const long = { messages: [{ role: 'user', content: 'x'.repeat(4 * 30_720) }] }
    expect(faultOf(await ask(long, 'qwen-max'))[2]).toBe('Range of input length should be [1, 30720]')
    expect((await ask(long, 'qwen-plus')).status).toBe(200)
  })

  it('history with broken arguments is an error of the server', async () => {
    const messages = [USER, { role: 'assistant', content: '', tool_calls: [toCall('{"a"')] }, RESULT]
    const [status, , message] = faultOf(await ask({ messages }))
    expect([status, message]).toEqual([500, expect.stringContaining("Expecting ',' delimiter")])
  })

  it.each([
    [
      'qwq-plus',
      {},
      false,
      'This model only support stream mode, please enable the stream parameter to access the model.',
    ],
    ['qwen3-omni-flash', {}, false, /only support stream mode/],
    ['qwq-plus', { enable_thinking: false }, true, 'The value of the enable_thinking parameter is restricted to True.'],
    ['qwen3-32b', {}, false, 'parameter.enable_thinking must be set to false for non-streaming calls'],
    ['qwen-plus', { enable_thinking: true }, false, /must be set to false for non-streaming calls/],
    ['qwen3.6-plus', { tools: [toTool('look')], tool_choice: toTool('look') }, true, /set to object in thinking mode/],
    ['qwen3.6-plus', { response_format: { type: 'json_object' } }, true, /Json mode .* enable_thinking is true/],
    ['qwen3.6-plus', { thinking_budget: 81_921 }, true, 'Range of thinking_budget should be [1, 81920]'],
  ] as const)('thinking and streams: %s %j, stream %s', async (model, members, stream, message) => {
    const [status, code, words] = faultOf(await ask(members, model, stream))
    expect([status, code]).toEqual([400, 'invalid_parameter_error'])
    expect(words).toMatch(message)
  })

  it.each([
    ['qwen3-32b', { enable_thinking: false }, false],
    ['qwen3-32b', {}, true],
    ['qwen3.5-plus', {}, false],
    ['qwen3-max', { enable_thinking: true }, false],
    ['qwq-plus', {}, true],
    ['qwen3.6-plus', { thinking_budget: 1024 }, true],
  ])('thinking and streams: %s %j, stream %s: taken', async (model, members, stream) => {
    expect((await ask(members, model, stream)).status).toBe(200)
  })
})

describe('what only some routes refuse', () => {
  const twice = { role: 'assistant', content: null, tool_calls: [toCall('{}'), toCall('{}')] }

  it.each([
    ['arrays', [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], {}, 400],
    ['null-content', [USER, twice, RESULT], {}, 400],
    ['repeated-calls', [USER, twice, RESULT], {}, 400],
    ['last-assistant', [USER, { role: 'assistant', content: 'It' }], {}, 500],
    ['store', [USER], { store: true }, 400],
  ])('%s', async (name, messages, more, status) => {
    const members = { messages, ...more }
    expect((await ask(members)).status).toBe(200)
    expect((await ask(members, `qwen3-coder-plus?refuse=${name}`)).status).toBe(status)
    expect((await ask({}, `qwen3-coder-plus?refuse=${name}`)).status).toBe(200)
  })
})

async function embed(body: object, site = 'singapore/payg'): Promise<{ status: number; text: string }> {
  const response = await fetch(`${simulator.baseUrls[site]}/embeddings`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test-1' },
    body: JSON.stringify({ model: 'text-embedding-v4', input: 'mill', ...body }),
  })
  return { status: response.status, text: await response.text() }
}

function inputs(count: number): object {
  return { input: Array.from({ length: count }, (_, at) => `text ${at}`) }
}

describe('embeddings', () => {
  it('are floats, 1024 of them unless another number is asked for', async () => {
    for (const [body, length] of [
      [{}, 1024],
      [{ dimensions: 64, encoding_format: 'float' }, 64],
    ] as const) {
      const { data } = JSON.parse((await embed(body)).text) as { data: { embedding: number[] }[] }
      expect([data[0]!.embedding.length, typeof data[0]!.embedding[0]]).toEqual([length, 'number'])
    }
  })

  it('come ten at a time at most', async () => {
    expect((JSON.parse((await embed(inputs(10))).text) as { data: object[] }).data).toHaveLength(10)
    expect(faultOf(await embed(inputs(11)))).toEqual([
      400,
      'invalid_parameter_error',
      expect.stringContaining('should not be larger than 10'),
    ])
  })

  it.each([
    [{ encoding_format: 'base64' }, 400],
    [{ dimensions: 65 }, 400],
    [{ dimensions: 2048, model: 'text-embedding-v3' }, 400],
    [{ model: 'text-embedding-3-small' }, 404],
  ])('%j is refused', async (body, status) => expect((await embed(body)).status).toBe(status))
})
