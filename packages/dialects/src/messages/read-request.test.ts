import { GatewayError } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { readMessagesRequest } from './read-request.ts'

const HELLO = [{ role: 'user', content: 'Hello' }]
const TOOL = { name: 'turn', description: 'Turns the mill.', input_schema: { type: 'object' } }

const read = (body: object) => readMessagesRequest({ model: 'sim/text', max_tokens: 9, messages: HELLO, ...body })
const chatOf = (body: object) => read(body).chat
const said = (...messages: object[]) => chatOf({ messages }).messages

const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] })

describe('what is asked', () => {
  test('plain, nothing is added but what the dialect demands', () => {
    expect(chatOf({ stream: null, system: null, tools: null })).toEqual({
      model: 'sim/text',
      messages: HELLO,
      max_tokens: 9,
    })
  })

  test('sampling, limits and stops, of which four are kept', () => {
    const asked = { temperature: 0.5, top_p: 0.9, top_k: 40, stream: true, stop_sequences: ['a', 'b', 'c', 'd', 'e'] }
    expect(chatOf(asked)).toMatchObject({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stream: true,
      stop: ['a', 'b', 'c', 'd'],
    })
  })

  test('the user has a name that says nothing about who it is, and always the same', () => {
    const { user } = chatOf({ metadata: { user_id: '{"account":"somebody"}' } })
    expect(user).toMatch(/^[\da-f]{32}$/)
    expect(chatOf({ metadata: { user_id: '{"account":"somebody"}' } }).user).toBe(user)
    expect(chatOf({ metadata: { user_id: 'somebody else' } }).user).not.toBe(user)
  })

  test('an answer in a schema', () => {
    const schema = { type: 'object', properties: {} }
    expect(chatOf({ output_config: { format: { type: 'json_schema', schema } } })['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema },
    })
  })

  test.each([
    [{}, undefined, false],
    [{ thinking: { type: 'disabled' } }, 'none', true],
    [{ thinking: { type: 'adaptive' } }, undefined, false],
    [{ thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' } }, 'max', true],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, 'low', false],
    [{ thinking: { type: 'enabled', budget_tokens: 4096 } }, 'medium', false],
    [{ thinking: { type: 'enabled', budget_tokens: 32_000 } }, 'high', false],
    [{ thinking: { type: 'enabled', budget_tokens: 32_000 }, output_config: { effort: 'low' } }, 'low', false],
  ])('thinking: %j', (body, effort, hidesThoughts) => {
    const asked = read(body)
    expect([asked.chat['reasoning_effort'], asked.hidesThoughts]).toEqual([effort, hidesThoughts])
  })
})

describe('instructions', () => {
  test.each([
    ['a text', 'Be short.'],
    ['blocks', [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }]],
    [
      'blocks with what is for others',
      [
        { type: 'text', text: 'x-anthropic-billing-header: cc_version=2' },
        { type: 'text', text: 'Be short.' },
      ],
    ],
  ])('as %s come first', (_, system) => {
    expect(chatOf({ system }).messages).toEqual([{ role: 'system', content: 'Be short.' }, ...HELLO])
  })

  test('several blocks have a blank line between them, and empty ones are left out', () => {
    const system = ['One.', '', 'Two.'].map(text => ({ type: 'text', text }))
    expect(chatOf({ system }).messages[0]).toEqual({ role: 'system', content: 'One.\n\nTwo.' })
  })

  test('in the middle of the conversation stay there', () => {
    const reminder = { role: 'system', content: [{ type: 'text', text: 'Now be long.' }] }
    expect(said(...HELLO, reminder)).toEqual([...HELLO, { role: 'system', content: 'Now be long.' }])
  })
})

describe('what the user says', () => {
  test('in several blocks is one text', () => {
    const content = ['One.', 'Two.'].map(text => ({ type: 'text', text, cache_control: { type: 'ephemeral' } }))
    expect(said({ role: 'user', content })).toEqual([{ role: 'user', content: 'One.\n\nTwo.' }])
  })

  test('pictures, by their bytes and by their address', () => {
    const content = [
      { type: 'text', text: 'Look:' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
      { type: 'image', source: { type: 'url', url: 'https://pictures.example/mill.png' } },
    ]
    expect(said({ role: 'user', content })[0]!.content).toEqual([
      { type: 'text', text: 'Look:' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
      { type: 'image_url', image_url: { url: 'https://pictures.example/mill.png' } },
    ])
  })

  test('documents: text, blocks and PDF', () => {
    const content = [
      { type: 'document', title: 'Rules', source: { type: 'text', media_type: 'text/plain', data: 'No smoking.' } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'Nor open fire.' }] } },
      { type: 'document', title: 'Plan', source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' } },
    ]
    expect(said({ role: 'user', content })[0]!.content).toEqual([
      ...['Rules', 'No smoking.', 'Nor open fire.', 'Plan'].map(text => ({ type: 'text', text })),
      { type: 'file', file: { filename: 'Plan', file_data: 'data:application/pdf;base64,aGk=' } },
    ])
  })

  test('what a search found', () => {
    const found = {
      type: 'search_result',
      title: 'Mills',
      source: 'https://mills.example',
      content: [{ type: 'text', text: 'They turn.' }],
    }
    expect(said({ role: 'user', content: [found] })[0]!.content).toBe('Mills\nhttps://mills.example\nThey turn.')
  })
})

describe('tools', () => {
  test('are functions; those of the servers of others are left out', () => {
    const tools = [
      TOOL,
      { type: 'web_search_20250305', name: 'web_search' },
      { ...TOOL, type: 'custom', name: 'stop', strict: true },
    ]
    expect(chatOf({ tools }).tools).toEqual([
      { type: 'function', function: { name: 'turn', description: 'Turns the mill.', parameters: { type: 'object' } } },
      {
        type: 'function',
        function: { name: 'stop', description: 'Turns the mill.', parameters: { type: 'object' }, strict: true },
      },
    ])
  })

  test('that are deferred come in when the conversation refers to them', () => {
    const tools = [TOOL, { ...TOOL, name: 'later', defer_loading: true }]
    const namesOf = (body: object) => chatOf({ tools, ...body }).tools?.map(tool => tool.function?.name)
    expect(namesOf({})).toEqual(['turn'])
    const found = { type: 'tool_result', tool_use_id: 'c', content: [{ type: 'tool_reference', tool_name: 'later' }] }
    expect(namesOf({ messages: [{ role: 'user', content: [found] }] })).toEqual(['turn', 'later'])
  })

  test('are added and taken away in the middle of the conversation', () => {
    const tools = [TOOL, { ...TOOL, name: 'later', defer_loading: true }]
    const changes = [
      { type: 'text', text: 'Tools have changed.' },
      { type: 'tool_removal', tool: { type: 'tool_reference', name: 'turn' } },
      { type: 'tool_addition', tool: { type: 'tool_reference', name: 'later' } },
      { type: 'tool_addition', tool: { type: 'tool_definition', definition: { ...TOOL, name: 'new' } } },
      { type: 'tool_addition', tool: { type: 'tool_definition', definition: { type: 'bash_20250124', name: 'bash' } } },
    ]
    const chat = chatOf({ tools, messages: [...HELLO, { role: 'system', content: changes }] })
    expect(chat.tools?.map(tool => tool.function?.name)).toEqual(['later', 'new'])
    expect(chat.messages[1]).toEqual({ role: 'system', content: 'Tools have changed.' })
  })

  test.each([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { tool_choice: 'required', parallel_tool_calls: false },
    ],
    [{ type: 'tool', name: 'turn' }, { tool_choice: { type: 'function', function: { name: 'turn' } } }],
    [{ type: 'none' }, { tool_choice: 'none' }],
  ])('choice %j', (tool_choice, expected) => {
    const { model: _m, messages: _s, max_tokens: _l, tools: _t, ...choice } = chatOf({ tools: [TOOL], tool_choice })
    expect(choice).toEqual(expected)
  })

  test('no tools, no choice', () => {
    expect(chatOf({ tools: [], tool_choice: { type: 'auto' } })).not.toHaveProperty('tool_choice')
  })

  test('calls and thoughts of the assistant; signatures and what others ran are left out', () => {
    const content = [
      { type: 'thinking', thinking: 'I should look.', signature: 'abc' },
      { type: 'redacted_thinking', data: 'abc' },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_use', id: 'call_1', name: 'turn', input: { by: 1 } },
    ]
    expect(said(...HELLO, { role: 'assistant', content })[1]).toEqual({
      role: 'assistant',
      content: 'Let me see.',
      reasoning_content: 'I should look.',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'turn', arguments: '{"by":1}' } }],
    })
  })

  test('calls without a word, and an assistant that said nothing', () => {
    const call = { type: 'tool_use', id: 'call_1', name: 'turn', input: {} }
    expect(said(...HELLO, { role: 'assistant', content: [call] })[1]).toMatchObject({ content: null })
    expect(said(...HELLO, { role: 'assistant', content: [{ type: 'text', text: '' }] })).toEqual(HELLO)
  })

  test('results come right behind the calls, pictures and words after them, failures as such', () => {
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }
    const content = [
      { type: 'text', text: 'And now?' },
      { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'It turned.' }, picture] },
      { type: 'tool_result', tool_use_id: 'call_2', content: 'It is stuck.', is_error: true },
      { type: 'tool_result', tool_use_id: 'call_3' },
    ]
    expect(said({ role: 'user', content })).toEqual([
      { role: 'tool', tool_call_id: 'call_1', content: 'It turned.' },
      { role: 'tool', tool_call_id: 'call_2', content: 'Error: It is stuck.' },
      { role: 'tool', tool_call_id: 'call_3', content: '' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'The tool call call_1 also gave this:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          { type: 'text', text: 'And now?' },
        ],
      },
    ])
  })
})

describe('what is wrong is named', () => {
  test.each<[object, string, string]>([
    [{ max_tokens: undefined }, 'missing_required_parameter', 'max_tokens'],
    [{ max_tokens: 0 }, 'invalid_value', 'max_tokens'],
    [{ model: '' }, 'invalid_value', 'model'],
    [{ messages: [] }, 'invalid_value', 'messages'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'invalid_value', 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'missing_required_parameter', 'messages[0].content'],
    [{ messages: [{ role: 'user', content: 3 }] }, 'invalid_value', 'messages[0].content'],
    [{ messages: [{ role: 'user', content: '' }] }, 'invalid_value', 'messages'],
    [{ temperature: 1.5 }, 'invalid_value', 'temperature'],
    [{ system: [{ type: 'text', text: 1 }] }, 'invalid_value', 'system[0].text'],
    [{ tools: [{ name: 'turn' }] }, 'missing_required_parameter', 'tools[0].input_schema'],
    [{ tools: [{ input_schema: {} }] }, 'missing_required_parameter', 'tools[0].name'],
    [{ tool_choice: { type: 'must' } }, 'invalid_value', 'tool_choice.type'],
    [{ thinking: { type: 'always' } }, 'invalid_value', 'thinking.type'],
    [user({ text: 'x' }), 'invalid_value', 'messages[0].content'],
    [user({ type: 'text' }), 'missing_required_parameter', 'messages[0].content[0].text'],
    [user({ type: 'tool_result', content: 'x' }), 'missing_required_parameter', 'messages[0].content[0].tool_use_id'],
    [
      user({ type: 'image', source: { type: 'base64', data: 'x' } }),
      'missing_required_parameter',
      'messages[0].content[0].source.media_type',
    ],
    [
      user({ type: 'image', source: { type: 'file', file_id: 'x' } }),
      'unsupported_parameter',
      'messages[0].content[0].source',
    ],
    [
      user({ type: 'document', source: { type: 'url', url: 'x' } }),
      'unsupported_parameter',
      'messages[0].content[0].source',
    ],
    [user({ type: 'container_upload', file_id: 'x' }), 'unsupported_parameter', 'messages[0].content[0]'],
    [user({ type: 'thinking', thinking: 'x' }), 'unsupported_parameter', 'messages[0].content[0]'],
    [{ base_url: 'http://elsewhere.example' }, 'unsupported_parameter', 'base_url'],
  ])('%j', (body, code, param) => {
    let failure: unknown
    try {
      read(body)
    } catch (error) {
      failure = error
    }
    expect(failure).toBeInstanceOf(GatewayError)
    expect(failure).toMatchObject({ code, param, message: expect.stringContaining(param) })
  })
})
