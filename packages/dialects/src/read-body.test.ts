import { describe, expect, test } from 'vitest'
import { ChatRequest } from '@millrace/core'
import { readBody } from './read-body.ts'

const MESSAGES = [{ role: 'user', content: 'Does the mill run?' }]

describe('a request', () => {
  test('is taken as it came, members of nobody and explicit nulls included', () => {
    const body = {
      model: 'local/llama3',
      messages: [
        { role: 'developer', content: 'Be short.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hello' },
            { type: 'image_url', image_url: { url: 'data:' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '5' },
      ],
      stream: null,
      max_tokens: null,
      stop: ['a', 'b'],
      tools: [
        { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
        { type: 'custom', custom: {} },
      ],
      member_of_tomorrow: { a: [1, null] },
    }
    expect(readBody(ChatRequest, body)).toEqual(body)
  })

  test.each<[members: object, code: string, param: string]>([
    [{}, 'missing_required_parameter', 'model'],
    [{ model: 'm' }, 'missing_required_parameter', 'messages'],
    [{ model: null, messages: MESSAGES }, 'invalid_value', 'model'],
    [{ model: 'm', messages: [] }, 'invalid_value', 'messages'],
    [{ model: 'm', messages: [{ content: 'a' }] }, 'missing_required_parameter', 'messages[0].role'],
    [{ model: 'm', messages: [MESSAGES[0], { role: 'user', content: [{}] }] }, 'invalid_value', 'messages[1].content'],
    [{ model: 'm', messages: MESSAGES, n: 0 }, 'invalid_value', 'n'],
    [
      { model: 'm', messages: MESSAGES, stream_options: { include_usage: 1 } },
      'invalid_value',
      'stream_options.include_usage',
    ],
    [
      { model: 'm', messages: MESSAGES, tools: [{ type: 'function', function: { name: '' } }] },
      'invalid_value',
      'tools[0].function.name',
    ],
  ])('%j is refused', (body, code, param) => {
    expect(() => readBody(ChatRequest, body as Record<string, unknown>)).toThrow(
      expect.objectContaining({ code, param, message: expect.stringContaining(`"${param}"`) }),
    )
  })
})

describe('where a request goes', () => {
  test.each(['api_base', 'api_key', 'base_url', 'extra_headers', 'custom_llm_provider', 'proxy', 'organization'])(
    'is not for %s to say',
    param => {
      const body = { model: 'm', messages: MESSAGES, [param]: 'https://evil.example' }
      expect(() => readBody(ChatRequest, body)).toThrow(
        expect.objectContaining({ code: 'unsupported_parameter', param, message: expect.not.stringContaining('evil') }),
      )
    },
  )

  test('null says nothing', () => {
    expect(() => readBody(ChatRequest, { model: 'm', messages: MESSAGES, api_key: null })).not.toThrow()
  })
})
