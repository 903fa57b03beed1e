import type { ChatRequest } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { responses } from './index.ts'

const BASE = { model: 'sim/text', input: 'Does the mill run?' }
const read = (body: object): ChatRequest => responses.read({ ...BASE, ...body }).chat

describe('a request in chat', () => {
  test('has the words, and what is asked of the answer under its other names', () => {
    const { chat, isVerbatim, includeUsage } = responses.read({
      ...BASE,
      instructions: 'Be brief.',
      stream: true,
      store: false,
      temperature: 0.5,
      top_p: 0.9,
      max_output_tokens: 100,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'json_object' }, verbosity: 'low' },
      user: 'u-1',
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: 'k',
      client_metadata: { a: 'b' },
      service_tier: 'auto',
      truncation: 'auto',
    })
    expect(chat).toEqual({
      model: 'sim/text',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Does the mill run?' },
      ],
      stream: true,
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 100,
      reasoning_effort: 'low',
      verbosity: 'low',
      response_format: { type: 'json_object' },
      user: 'u-1',
    })
    expect([isVerbatim, includeUsage]).toEqual([false, true])
  })

  test('a schema is nested, plain text is no format', () => {
    const schema = { type: 'object', properties: {} }
    expect(read({ text: { format: { type: 'json_schema', name: 'n', schema, strict: true } } })).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
    })
    expect(read({ text: { format: { type: 'text' } } })).not.toHaveProperty('response_format')
  })

  test('logprobs are asked for where the client wants to see them', () => {
    expect(read({ include: ['message.output_text.logprobs'] })).toMatchObject({ logprobs: true })
    expect(read({ top_logprobs: 3 })).toMatchObject({ logprobs: true, top_logprobs: 3 })
    expect(read({ top_logprobs: 0 })).not.toHaveProperty('logprobs')
  })

  test('null means absent', () => {
    const members = ['instructions', 'store', 'tools', 'tool_choice', 'temperature', 'reasoning', 'text', 'include']
    const absent = [...members, 'previous_response_id', 'conversation', 'prompt', 'background', 'max_output_tokens']
    expect(read(Object.fromEntries(absent.map(name => [name, null])))).toEqual(read({}))
  })
})

test.each<[string, object, string, string]>([
  ['no model', { model: undefined }, 'missing_required_parameter', 'model'],
  ['no input', { input: undefined }, 'missing_required_parameter', 'input'],
  ['an input that is none', { input: 7 }, 'invalid_value', 'input'],
  ['an empty input', { input: [] }, 'invalid_value', 'input'],
  ['nothing to answer', { input: [{ type: 'reasoning', summary: [] }] }, 'invalid_value', 'input'],
  ['a temperature too high', { temperature: 3 }, 'invalid_value', 'temperature'],
  ['no tokens', { max_output_tokens: 0 }, 'invalid_value', 'max_output_tokens'],
  ['a response to go on from', { previous_response_id: 'resp_1' }, 'unsupported_parameter', 'previous_response_id'],
  ['a conversation', { conversation: 'conv_1' }, 'unsupported_parameter', 'conversation'],
  ['a kept prompt', { prompt: { id: 'pmpt_1' } }, 'unsupported_parameter', 'prompt'],
  ['to be kept', { store: true }, 'unsupported_parameter', 'store'],
  ['in the background', { background: true }, 'unsupported_parameter', 'background'],
  ['where to ask', { base_url: 'http://elsewhere' }, 'unsupported_parameter', 'base_url'],
  ['a format', { text: { format: { type: 'yaml' } } }, 'invalid_value', 'text.format.type'],
  [
    'a format without its schema',
    { text: { format: { type: 'json_schema', name: 'n' } } },
    'missing_required_parameter',
    'text.format.schema',
  ],
])('%s is refused', (_, body, code, param) => {
  expect(() => read(body)).toThrow(expect.objectContaining({ code, param }))
})

test('what is refused says what to do instead', () => {
  expect(() => read({ previous_response_id: 'resp_1' })).toThrow(/send the whole conversation as items in "input"/)
  expect(() => read({ store: true })).toThrow(/send false/)
})
