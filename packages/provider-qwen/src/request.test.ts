import { ChatRequest, GatewayError, parseJsonSource, type Call } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { toQwenBody, type QwenRules } from './request.ts'

const RULES: QwenRules = { isPortal: false, dummyTool: false, request: {} }
const PORTAL = { isPortal: true }
const HELLO = [{ role: 'user', content: 'Hello' }]
const ALWAYS = { stream: true, stream_options: { include_usage: true } }

const tool = (name: string, more: object = {}): object => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: {} }, ...more },
})
const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
const text = (words: string, more: object = {}): object => ({ type: 'text', text: words, ...more })
const MARK = { cache_control: { type: 'ephemeral' } }
const call = (id: string, args: unknown = '{}'): object => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
})

function bodyOf(
  members: object,
  { model = 'qwen3-max', rules = {} }: { model?: string; rules?: Partial<QwenRules> } = {},
  spliced = true,
): string {
  const source = parseJsonSource(Buffer.from(JSON.stringify({ model: 'as/asked-for', messages: HELLO, ...members })))
  const request: Call = {
    model,
    head: { id: 'chatcmpl-test', created: 1_800_000_000, model: 'as/asked-for', includeUsage: true },
    stream: true,
    signal: new AbortController().signal,
    requestId: 'req_test',
    ...(spliced ? { source } : undefined),
  }
  return toQwenBody(ChatRequest.parse(source.value), request, { ...RULES, ...rules }).toString()
}

interface Case {
  readonly members?: object
  readonly model?: string
  readonly rules?: Partial<QwenRules>
  /** Members of the body besides `model`, those that make it a stream, and, where they stay as they are, `messages`. */
  readonly expected?: object
}

/** What is sent for a list of messages, in place of it. */
const messages = (sent: readonly object[], expected: readonly object[], more: Case = {}): Case => ({
  ...more,
  members: { messages: sent, ...more.members },
  expected: { messages: expected, ...more.expected },
})

const SHARED = {
  stop: ['END', '\n\n'],
  seed: 7,
  presence_penalty: 0.5,
  logprobs: true,
  top_logprobs: 3,
  temperature: 1.9,
  top_p: 1,
  response_format: { type: 'text' },
  modalities: ['text', 'audio'],
  audio: { voice: 'Cherry', format: 'wav' },
}

const SAMPLING: Readonly<Record<string, Case>> = {
  'a whole answer is streamed, too': { members: { stream: false } },
  "Qwen's own members go on": {
    members: {
      top_k: 20,
      enable_search: true,
      search_options: { forced_search: true },
      thinking_budget: 5,
      vl_high_resolution_images: true,
    },
    expected: {
      top_k: 20,
      enable_search: true,
      search_options: { forced_search: true },
      thinking_budget: 5,
      vl_high_resolution_images: true,
    },
  },
  'what both know goes on': { members: SHARED, expected: SHARED },
  'zero is a value': {
    members: { temperature: 0, top_k: 0, seed: 0 },
    expected: { temperature: 0, top_k: 0, seed: 0 },
  },
  'top_p may be small, but not nothing': { members: { top_p: 0 }, expected: { top_p: 0.000001 } },
  'what Qwen ignores goes on': {
    members: { frequency_penalty: 1, user: 'u', metadata: { sessionId: 's' }, logit_bias: {} },
    expected: { frequency_penalty: 1, user: 'u', metadata: { sessionId: 's' }, logit_bias: {} },
  },
  'what some servers refuse does not': { members: { store: false, background: true, webhook_config: {} } },
  'the newer limit under the older name': {
    members: { max_completion_tokens: 7, max_tokens: 5 },
    expected: { max_tokens: 7 },
  },
  'no limit where there is none': { members: { max_completion_tokens: null } },
  "a limit above the model's own": {
    members: { max_tokens: 100_000 },
    model: 'qwen-max-latest',
    expected: { max_tokens: 8192 },
  },
  'a limit of a model that is not known': {
    members: { max_tokens: 100_000 },
    model: 'glm-9',
    expected: { max_tokens: 100_000 },
  },
  'up to four choices': { members: { n: 4 }, expected: { n: 4 } },
  'the rules of the configuration come last': {
    members: { max_completion_tokens: 7, top_p: 0, user: 'u' },
    rules: { request: { rename: { max_tokens: 'limit' }, drop: ['user'], set: { top_p: 0.5 } } },
    expected: { limit: 7, top_p: 0.5 },
  },
}

const THINKING: Readonly<Record<string, Case>> = {
  none: { members: { reasoning_effort: 'none' }, expected: { enable_thinking: false } },
  minimal: { members: { reasoning_effort: 'minimal' }, expected: { enable_thinking: false } },
  low: { members: { reasoning_effort: 'low' }, expected: { enable_thinking: true, thinking_budget: 1024 } },
  medium: { members: { reasoning_effort: 'medium' }, expected: { enable_thinking: true, thinking_budget: 8192 } },
  high: { members: { reasoning_effort: 'high' }, expected: { enable_thinking: true } },
  'xhigh, with a largest budget': {
    members: { reasoning_effort: 'xhigh' },
    model: 'qwen3.6-plus',
    expected: { enable_thinking: true, thinking_budget: 81_920 },
  },
  'max, with none that is known': { members: { reasoning_effort: 'max' }, expected: { enable_thinking: true } },
  "Qwen's own switch wins": {
    members: { reasoning_effort: 'high', enable_thinking: false },
    expected: { enable_thinking: false },
  },
  "Qwen's own budget wins": {
    members: { reasoning_effort: 'low', thinking_budget: 9 },
    expected: { thinking_budget: 9 },
  },
  'a model that never thinks': { members: { reasoning_effort: 'high' }, model: 'qwen3-coder-plus' },
  'a model that always thinks': {
    members: { reasoning_effort: 'low' },
    model: 'qwq-plus',
    expected: { thinking_budget: 1024 },
  },
  "another maker's model": {
    members: { reasoning_effort: 'high' },
    model: 'deepseek-v4-pro',
    expected: { reasoning_effort: 'high' },
  },
  'the form of the Responses API': {
    members: { reasoning: { effort: 'low', summary: 'auto' } },
    expected: { enable_thinking: true, thinking_budget: 1024 },
  },
  'a number of tokens': {
    members: { reasoning: { max_tokens: 5 } },
    expected: { enable_thinking: true, thinking_budget: 5 },
  },
  'a switch': { members: { reasoning: { enabled: false } }, expected: { enable_thinking: false } },
  "Anthropic's form": {
    members: { thinking: { type: 'enabled', budget_tokens: 5 } },
    expected: { enable_thinking: true, thinking_budget: 5 },
  },
  "Anthropic's form, off": { members: { thinking: { type: 'disabled' } }, expected: { enable_thinking: false } },
}

const JSON_MODE = { response_format: { type: 'json_object' } }
const JSON_SCHEMA = { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } }
const NAMED = { tool_choice: { type: 'function', function: { name: 'f' } } }
const WITH_TOOL = { tools: [tool('f')], ...NAMED }

const NO_THINKING: Readonly<Record<string, Case>> = {
  'for the older JSON mode': { members: JSON_MODE, expected: { ...JSON_MODE, enable_thinking: false } },
  'for a tool that must be called': {
    members: WITH_TOOL,
    model: 'qwen3.6-plus',
    expected: { ...WITH_TOOL, parallel_tool_calls: true, enable_thinking: false },
  },
  'is not asked of a model that never thinks': {
    members: { ...WITH_TOOL, ...JSON_MODE },
    model: 'qwen3-coder-plus',
    expected: { ...WITH_TOOL, ...JSON_MODE, parallel_tool_calls: true },
  },
  "is not asked of another maker's model": {
    members: { ...WITH_TOOL, enable_thinking: true },
    model: 'glm-5',
    expected: { ...WITH_TOOL, enable_thinking: true, parallel_tool_calls: true },
  },
  'is not asked for against the client': {
    members: { ...JSON_MODE, reasoning_effort: 'low' },
    expected: { ...JSON_MODE, enable_thinking: true, thinking_budget: 1024 },
  },
  'is not needed for a schema': { members: JSON_SCHEMA, expected: JSON_SCHEMA },
  'is not needed for a choice without tools': { members: NAMED },
}

const TOOLS: Readonly<Record<string, Case>> = {
  'calls side by side': {
    members: { tools: [tool('f')] },
    expected: { tools: [tool('f')], parallel_tool_calls: true },
  },
  'one after the other, if the client says so': {
    members: { tools: [tool('f')], parallel_tool_calls: false },
    expected: { tools: [tool('f')], parallel_tool_calls: false },
  },
  'no tools': { members: { tools: [], tool_choice: 'auto', parallel_tool_calls: true } },
  'a choice that Qwen knows': {
    members: { tools: [tool('f')], tool_choice: 'none' },
    expected: { tools: [tool('f')], tool_choice: 'none', parallel_tool_calls: true },
  },
  'the only tool, required': {
    members: { tools: [tool('f')], tool_choice: 'required' },
    expected: {
      ...WITH_TOOL,
      parallel_tool_calls: true,
      enable_thinking: false,
    },
  },
  'no parameters': {
    members: { tools: [{ type: 'function', function: { name: 'f' } }, tool('g', { parameters: null })] },
    expected: { tools: [tool('f'), tool('g')], parallel_tool_calls: true },
  },
  'parameters as another service wants them': {
    members: { tools: [tool('f', { parameters: { $schema: 'x', type: 'OBJECT', properties: {} } })] },
    expected: { tools: [tool('f')], parallel_tool_calls: true },
  },
  'marks for the cache': {
    members: {
      tools: [
        { ...tool('f'), ...MARK },
        { ...tool('g'), ...MARK },
      ],
    },
    expected: { tools: [tool('f'), { ...tool('g'), ...MARK }], parallel_tool_calls: true },
  },
}

const MESSAGES: Readonly<Record<string, Case>> = {
  'a developer is a system': messages(
    [{ role: 'developer', content: 'Be brief.' }, ...HELLO],
    [{ role: 'system', content: 'Be brief.' }, ...HELLO],
  ),
  'texts in a list': messages([{ role: 'user', content: [text('a'), text('b')] }], [{ role: 'user', content: 'a\nb' }]),
  'a list with media': {
    members: { messages: [{ role: 'user', content: [text('a'), image] }] },
    expected: { messages: [{ role: 'user', content: [text('a'), image] }] },
  },
  'a list with a mark for the cache': {
    members: { messages: [{ role: 'user', content: [text('a', MARK)] }] },
    expected: { messages: [{ role: 'user', content: [text('a', MARK)] }] },
  },
  'more than four marks': messages(
    [{ role: 'user', content: ['1', '2', '3', '4', '5', '6'].map(words => text(words, MARK)) }],
    [
      {
        role: 'user',
        content: [text('1', MARK), text('2'), text('3'), ...['4', '5', '6'].map(words => text(words, MARK))],
      },
    ],
  ),
  'more than three marks beside one of a tool': messages(
    [{ role: 'user', content: ['1', '2', '3', '4'].map(words => text(words, MARK)) }],
    [{ role: 'user', content: [text('1', MARK), text('2'), text('3', MARK), text('4', MARK)] }],
    {
      members: { tools: [{ ...tool('f'), ...MARK }] },
      expected: { tools: [{ ...tool('f'), ...MARK }], parallel_tool_calls: true },
    },
  ),
  'no content of the assistant': messages(
    [...HELLO, { role: 'assistant', content: null, tool_calls: [call('a')] }, { role: 'tool', tool_call_id: 'a' }],
    [
      ...HELLO,
      { role: 'assistant', content: '', tool_calls: [call('a')] },
      { role: 'tool', tool_call_id: 'a', content: '' },
    ],
  ),
  'earlier thoughts': messages(
    [...HELLO, { role: 'assistant', content: 'a', reasoning_content: 'hm' }, ...HELLO],
    [...HELLO, { role: 'assistant', content: 'a' }, ...HELLO],
  ),
  'earlier thoughts that are to be kept': {
    members: {
      preserve_thinking: true,
      messages: [...HELLO, { role: 'assistant', content: 'a', reasoning_content: 'hm' }, ...HELLO],
    },
    expected: {
      preserve_thinking: true,
      messages: [...HELLO, { role: 'assistant', content: 'a', reasoning_content: 'hm' }, ...HELLO],
    },
  },
  'arguments that are no JSON': messages(
    [
      ...HELLO,
      {
        role: 'assistant',
        content: '',
        tool_calls: [call('a', '{"x": "half'), call('b', ''), call('c', '[1]'), call('d', null), call('e', '{"x":1}')],
      },
      ...['a', 'b', 'c', 'd', 'e'].map(id => ({ role: 'tool', tool_call_id: id, content: id })),
    ],
    [
      ...HELLO,
      {
        role: 'assistant',
        content: '',
        tool_calls: [call('a'), call('b'), call('c'), call('d'), call('e', '{"x":1}')],
      },
      ...['a', 'b', 'c', 'd', 'e'].map(id => ({ role: 'tool', tool_call_id: id, content: id })),
    ],
  ),
  'media that tools gave': messages(
    [
      ...HELLO,
      { role: 'assistant', content: '', tool_calls: [call('a'), call('b')] },
      { role: 'tool', tool_call_id: 'a', content: [text('seen'), image] },
      { role: 'tool', tool_call_id: 'b', content: 'heard' },
      { role: 'user', content: 'And?' },
    ],
    [
      ...HELLO,
      { role: 'assistant', content: '', tool_calls: [call('a'), call('b')] },
      { role: 'tool', tool_call_id: 'a', content: 'seen' },
      { role: 'tool', tool_call_id: 'b', content: 'heard' },
      { role: 'user', content: [text('What the tool call a gave besides text:'), image] },
      { role: 'user', content: 'And?' },
    ],
  ),
  'media that the last tool gave': messages(
    [
      ...HELLO,
      { role: 'assistant', content: '', tool_calls: [call('a')] },
      { role: 'tool', tool_call_id: 'a', content: [image] },
    ],
    [
      ...HELLO,
      { role: 'assistant', content: '', tool_calls: [call('a')] },
      { role: 'tool', tool_call_id: 'a', content: '' },
      { role: 'user', content: [text('What the tool call a gave besides text:'), image] },
    ],
  ),
  'a broken order': messages(
    [
      ...HELLO,
      { role: 'tool', tool_call_id: 'x', content: 'lost' },
      { role: 'assistant', content: 'a' },
      { role: 'assistant', content: 'b' },
    ],
    [...HELLO, { role: 'assistant', content: 'a\nb' }],
  ),
}

const AT_THE_PORTAL: Readonly<Record<string, Case>> = {
  'a system message where there is none': messages(HELLO, [{ role: 'system', content: [text('', MARK)] }, ...HELLO]),
  'one system message, in front': messages(
    [...HELLO, { role: 'system', content: 'a' }, { role: 'developer', content: [text('b'), text('c')] }],
    [{ role: 'system', content: [text('a'), text('b\nc', MARK)] }, ...HELLO],
  ),
  'its own name for a model': messages(HELLO, [{ role: 'system', content: [text('', MARK)] }, ...HELLO], {
    model: 'qwen3.6-plus',
    expected: { model: 'coder-model' },
  }),
  'a tool to leave alone': messages(HELLO, [{ role: 'system', content: [text('', MARK)] }, ...HELLO], {
    rules: { dummyTool: true },
    expected: { tools: [expect.objectContaining({ type: 'function' })] },
  }),
  'no such tool beside others': messages(HELLO, [{ role: 'system', content: [text('', MARK)] }, ...HELLO], {
    rules: { dummyTool: true },
    members: { tools: [tool('f')] },
    expected: { tools: [tool('f')], parallel_tool_calls: true },
  }),
}

const TABLES = { SAMPLING, THINKING, NO_THINKING, TOOLS, MESSAGES, AT_THE_PORTAL }

describe.for(Object.entries(TABLES))('%s', ([table, cases]) => {
  test.for(Object.entries(cases))('%s', ([, { members = {}, model = 'qwen3-max', rules, expected }]) => {
    const all = { ...(table === 'AT_THE_PORTAL' ? PORTAL : undefined), ...rules }
    for (const spliced of [true, false]) {
      const body = JSON.parse(bodyOf(members, { model, rules: all }, spliced)) as unknown
      expect(body).toEqual({ model, messages: HELLO, ...ALWAYS, ...expected })
    }
  })
})

test('what need not change keeps its bytes', () => {
  const messages =
    '[ {"role":"user" ,\t"content":"\\u00e9 🐉 \\/"}, {"role":"assistant","content":"a"}, {"role":"user","content":"b"} ]'
  const source = parseJsonSource(
    Buffer.from(`{ "messages" : ${messages},\n "seed":1.50 , "model":"x","reasoning_effort":"low"}`),
  )
  const head = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'x', includeUsage: true }
  const call = { model: 'qwen-plus', head, stream: true, source, signal: new AbortController().signal, requestId: 'r' }
  const body = toQwenBody(ChatRequest.parse(source.value), call, RULES).toString()
  expect(body).toContain(`"messages" : ${messages}`)
  expect(body).toContain('"seed":1.50')
  expect(JSON.parse(body)).toMatchObject({ model: 'qwen-plus', enable_thinking: true, ...ALWAYS })
})

test.for<[name: string, members: object, param: string, model?: string]>([
  ['the highest temperature', { temperature: 2 }, 'temperature'],
  ['five choices', { n: 5 }, 'n'],
  ['two choices with tools', { n: 2, tools: [tool('f')] }, 'n'],
  ['a tool under the name of the search', { tools: [tool('f'), tool('search')] }, 'tools[1].function.name'],
  ['one of several tools, required', { tools: [tool('f'), tool('g')], tool_choice: 'required' }, 'tool_choice'],
  [
    'a tool, required of a model that thinks',
    { tools: [tool('f')], tool_choice: 'required', enable_thinking: true },
    'tool_choice',
  ],
  ['a tool by its name, of a model that thinks', { ...WITH_TOOL, reasoning_effort: 'low' }, 'tool_choice'],
  [
    'a tool, required of a model that always thinks',
    { ...WITH_TOOL, tool_choice: 'required' },
    'tool_choice',
    'qwq-plus',
  ],
  [
    'a choice among some tools',
    { tools: [tool('f')], tool_choice: { type: 'allowed_tools', tools: [] } },
    'tool_choice',
  ],
  ['an unknown effort', { reasoning_effort: 'huge' }, 'reasoning_effort'],
  ['an unknown effort in another form', { reasoning: { effort: 'toString' } }, 'reasoning.effort'],
  ['no thoughts of a model that always thinks', { reasoning_effort: 'none' }, 'reasoning_effort', 'qwq-plus'],
])('%s is refused, and named', ([, members, param, model = 'qwen-plus']) => {
  expect(() => bodyOf(members, { model })).toThrow(GatewayError)
  expect(() => bodyOf(members, { model })).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param }))
})
