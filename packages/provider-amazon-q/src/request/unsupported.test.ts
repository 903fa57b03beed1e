import { expect, test } from 'vitest'
import { refuseUnsupported } from './unsupported.ts'

const REQUEST = { model: 'M', messages: [{ role: 'user' as const, content: 'u' }] }

test.for<[param: string, value: unknown]>([
  ['n', 2],
  ['tool_choice', 'required'],
  ['tool_choice', { type: 'function', function: { name: 'look' } }],
  ['tool_choice', { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } }],
  ['response_format', { type: 'json_object' }],
  ['response_format', { type: 'json_schema', json_schema: { name: 'a', schema: {} } }],
  ['logprobs', true],
  ['top_logprobs', 1],
  ['logit_bias', { 50256: -100 }],
  ['modalities', ['text', 'audio']],
  ['audio', { voice: 'x', format: 'mp3' }],
  ['web_search_options', {}],
])('%s %j is refused', ([param, value]) => {
  expect(() => refuseUnsupported({ ...REQUEST, [param]: value })).toThrow(
    expect.objectContaining({ code: 'unsupported_parameter', param }),
  )
})

test.for<[param: string, value: unknown]>([
  ['n', 1],
  ['tool_choice', 'auto'],
  ['tool_choice', 'none'],
  ['response_format', { type: 'text' }],
  ['logprobs', false],
  ['top_logprobs', 0],
  ['logit_bias', {}],
  ['modalities', ['text']],
  ['response_format', null],
  ['temperature', 0],
  ['top_p', 0.1],
  ['max_tokens', 10],
  ['max_completion_tokens', 10],
  ['seed', 1],
  ['frequency_penalty', 1],
  ['presence_penalty', 1],
  ['stop', ['x']],
  ['stream_options', { include_usage: true }],
  ['parallel_tool_calls', false],
  ['reasoning_effort', 'low'],
  ['verbosity', 'low'],
  ['user', 'u'],
  ['metadata', { a: 'b' }],
  ['store', true],
  ['service_tier', 'flex'],
  ['prompt_cache_key', 'k'],
  ['prediction', { type: 'content', content: 'x' }],
])('%s %j makes no request fail', ([param, value]) => {
  expect(() => refuseUnsupported({ ...REQUEST, [param]: value })).not.toThrow()
})
