import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { answerText } from '../words.ts'
import { faultOf } from './ask-qwen.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

interface Frame {
  readonly output: {
    readonly text?: string
    readonly finish_reason?: string
    readonly choices?: readonly [
      {
        readonly message: Readonly<Record<string, unknown>> & { readonly tool_calls?: readonly object[] }
        readonly finish_reason: string
      },
    ]
  }
  readonly usage: Readonly<Record<string, number>>
}

interface NativeOptions {
  readonly parameters?: object
  readonly stream?: boolean
  readonly kind?: string
  readonly messages?: readonly object[]
}

const MESSAGES = [{ role: 'user', content: 'Does the mill run?' }]
const INCREMENTAL = { incremental_output: true }

/** Asks the native endpoint; messages in choices, unless `parameters` say otherwise. */
function ask(
  model: string,
  { parameters = {}, stream = true, kind = 'text', messages = MESSAGES }: NativeOptions = {},
): Promise<Reply> {
  return askSimulator(simulator, model, {
    path: `/singapore/payg/api/v1/services/aigc/${kind}-generation/generation`,
    headers: { authorization: 'Bearer sk-test-1', ...(stream && { 'x-dashscope-sse': 'enable' }) },
    members: { messages: undefined, input: { messages }, parameters: { result_format: 'message', ...parameters } },
  })
}

function framesOf({ text }: Reply): Frame[] {
  return text
    .split('\n')
    .filter(line => line.startsWith('data:'))
    .map(line => JSON.parse(line.slice(5)) as Frame)
}

const contentsOf = (reply: Reply): unknown[] =>
  framesOf(reply).map(frame => frame.output.choices![0].message['content'])
const finishesOf = (reply: Reply): unknown[] => framesOf(reply).map(frame => frame.output.choices![0].finish_reason)

describe('the native stream', () => {
  it('has numbered frames without a blank, and no [DONE]', async () => {
    const { text, headers } = await ask('qwen-plus?words=2', { parameters: INCREMENTAL })
    expect(headers['content-type']).toMatch('text/event-stream')
    expect(text).toBe(
      [
        'id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"choices":[{"message":{"content":"the","role":"assistant"},"finish_reason":"null"}]},"usage":{"total_tokens":13,"output_tokens":1,"input_tokens":12},"request_id":"00000000-0000-4000-8000-000000000000"}\n\n',
        'id:2\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"choices":[{"message":{"content":" mill","role":"assistant"},"finish_reason":"null"}]},"usage":{"total_tokens":14,"output_tokens":2,"input_tokens":12},"request_id":"00000000-0000-4000-8000-000000000000"}\n\n',
        'id:3\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"choices":[{"message":{"content":"","role":"assistant"},"finish_reason":"stop"}]},"usage":{"total_tokens":15,"output_tokens":3,"input_tokens":12},"request_id":"00000000-0000-4000-8000-000000000000"}\n\n',
      ].join(''),
    )
  })

  it('is cumulative unless it is told otherwise', async () => {
    const reply = await ask('qwen-plus?words=3')
    expect(contentsOf(reply)).toEqual(['the', 'the mill', 'the mill stands', 'the mill stands'])
    expect(finishesOf(reply)).toEqual(['null', 'null', 'null', 'stop'])
  })

  it('has thoughts, which must be incremental', async () => {
    const thinking = { enable_thinking: true, ...INCREMENTAL }
    const frames = framesOf(await ask('qwen-plus?words=1', { parameters: thinking }))
    expect(frames.map(({ output }) => output.choices![0].message)).toMatchObject([
      { content: '', reasoning_content: 'by' },
      { content: 'the' },
      { content: '' },
    ])
    expect(frames.at(-1)!.usage).toMatchObject({ output_tokens_details: { reasoning_tokens: 1 } })
    const refused = await ask('qwen-plus', { parameters: { enable_thinking: true } })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('incremental_output must be true')])
  })

  it('has tool calls, put together where it is cumulative', async () => {
    const tools = [{ type: 'function', function: { name: 'get_weather' } }]
    const frames = framesOf(await ask('qwen-plus?script=tool', { parameters: { tools } }))
    expect(frames.at(-1)!.output.choices![0]).toMatchObject({
      message: { tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Berlin","unit":"celsius"}' } }] },
      finish_reason: 'tool_calls',
    })
    const pieces = framesOf(await ask('qwen-plus?script=tool', { parameters: { ...INCREMENTAL, tools } }))
    expect(pieces[1]!.output.choices![0].message.tool_calls).toMatchObject([
      { id: '', function: { arguments: '{"city":' } },
    ])
  })

  it('may be in the older form, or in parts', async () => {
    const older = framesOf(await ask('qwen-plus?words=1', { parameters: { result_format: undefined } }))
    expect(older[0]!.output).toEqual({ text: 'the', finish_reason: 'null' })
    const parts = await ask('qwen-vl-max?words=1', { kind: 'multimodal', parameters: INCREMENTAL })
    expect(contentsOf(parts)).toEqual([[{ text: 'the' }], [{ text: '' }]])
  })

  it('has errors inside it like any other', async () => {
    const { text, status } = await ask('qwen-plus?script=error-frame', { parameters: INCREMENTAL })
    expect(status).toBe(200)
    expect(text).toMatch(/^id:1\nevent:result\n.*event:error\n:HTTP_STATUS\/429\ndata:\{"request_id"[^\n]*\n\n$/s)
  })
})

describe('the native whole answer', () => {
  it('has one output', async () => {
    expect(JSON.parse((await ask('qwen-plus', { stream: false })).text)).toEqual({
      output: { choices: [{ message: { content: answerText(), role: 'assistant' }, finish_reason: 'stop' }] },
      usage: { total_tokens: 32, output_tokens: 20, input_tokens: 12 },
      request_id: expect.any(String) as string,
    })
  })
})

describe('native errors', () => {
  it.each([
    ['qwen3.6-plus', 'text', 400, 'InvalidParameter', /^url error/],
    ['qwen-plus', 'multimodal', 400, 'InvalidParameter', /^url error/],
    ['gpt-4o', 'text', 404, 'ModelNotFound', /gpt-4o/],
    ['qwen-plus?error=burst-rate', 'text', 429, 'Throttling.BurstRate', /too quickly/],
  ])('%s at %s', async (model, kind, status, code, message) => {
    expect(faultOf(await ask(model, { kind, stream: false }))).toEqual([status, code, expect.stringMatching(message)])
    const streamed = await ask(model, { kind })
    expect([streamed.status, streamed.headers['content-type']]).toEqual([status, 'text/event-stream'])
    expect(streamed.text).toMatch(new RegExp(`^id:1\nevent:error\n:HTTP_STATUS/${status}\ndata:.*"code":"${code}"`))
  })

  it('come for keys and messages too', async () => {
    const path = '/beijing/payg/api/v1/services/aigc/text-generation/generation'
    const headers = { authorization: 'Bearer sk-sp-test-1' }
    expect(faultOf(await askSimulator(simulator, 'qwen-plus', { path, headers })).slice(0, 2)).toEqual([
      401,
      'InvalidApiKey',
    ])
    const developer = [{ role: 'developer', content: 'be brief' }]
    expect(faultOf(await ask('qwen-plus', { messages: developer, stream: false })).slice(0, 2)).toEqual([
      400,
      'InvalidParameter',
    ])
  })
})
