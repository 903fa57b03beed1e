import type { ChatRequest } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { responses } from './index.ts'

const messagesOf = (...input: object[]): ChatRequest['messages'] => responses.read({ model: 'm', input }).chat.messages
const user = (content: unknown): object => ({ role: 'user', content })
const call = (id: string, name = 'turn', said = '{}'): object => ({
  type: 'function_call',
  id: 'fc_1',
  status: 'completed',
  call_id: id,
  name,
  arguments: said,
})
const output = (id: string, said: unknown = 'done'): object => ({
  type: 'function_call_output',
  id: 'fco_1',
  call_id: id,
  output: said,
})
const called = (id: string, name = 'turn', said = '{}'): object => ({
  id,
  type: 'function',
  function: { name, arguments: said },
})

describe('messages', () => {
  test('keep their roles; a single text is a string', () => {
    expect(
      messagesOf(
        { type: 'message', id: 'msg_1', role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] },
        { role: 'system', content: 'Be kind.' },
        user([
          { type: 'input_text', text: 'Hello, ' },
          { type: 'input_text', text: 'world' },
        ]),
        { role: 'assistant', phase: 'final_answer', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
        { role: 'user', content: 'Why?' },
      ),
    ).toEqual([
      { role: 'developer', content: 'Be brief.' },
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello, ' },
          { type: 'text', text: 'world' },
        ],
      },
      { role: 'assistant', content: 'Hi', refusal: 'No.' },
      { role: 'user', content: 'Why?' },
    ])
  })

  test('take images, files and sound', () => {
    const [message] = messagesOf(
      user([
        { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'high' },
        { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      ]),
    )
    expect(message!.content).toEqual([
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'high' } },
      { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
      { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
    ])
  })
})

describe('what the model did', () => {
  test('in a row is one message: thoughts, words and calls', () => {
    expect(
      messagesOf(
        user('Go'),
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'x' },
        { role: 'assistant', content: 'I turn it.' },
        call('a', 'turn', '{"by":1}'),
        call('b'),
        output('a', 'one'),
        output('b', [
          { type: 'input_text', text: 'tw' },
          { type: 'input_text', text: 'o' },
        ]),
      ),
    ).toEqual([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: 'I turn it.',
        reasoning_content: 'Hm.',
        tool_calls: [called('a', 'turn', '{"by":1}'), called('b')],
      },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: 'two' },
    ])
  })

  test('the thoughts themselves count before their summary; thoughts alone are nothing', () => {
    const thoughts = {
      type: 'reasoning',
      summary: [{ text: 'short' }],
      content: [{ type: 'reasoning_text', text: 'long' }],
    }
    expect(messagesOf(thoughts, call('a'))[0]).toMatchObject({ reasoning_content: 'long' })
    expect(messagesOf(thoughts, user('Go'))).toEqual([{ role: 'user', content: 'Go' }])
  })

  test('a custom call has its input as the one argument, and a name in a namespace is flat', () => {
    expect(
      messagesOf(
        { type: 'custom_tool_call', id: 'ctc_1', call_id: 'a', name: 'patch', input: 'a "b"' },
        { ...call('b', 'spawn'), namespace: 'agents' },
        { type: 'custom_tool_call_output', call_id: 'a', output: 'ok' },
        output('b'),
      )[0],
    ).toMatchObject({ tool_calls: [called('a', 'patch', '{"input":"a \\"b\\""}'), called('b', 'agents__spawn')] })
  })

  test('a call of a shell or a patch is one of a function', () => {
    const action = { type: 'exec', command: ['ls'] }
    expect(
      messagesOf(
        { type: 'local_shell_call', id: 'a', call_id: 'a', action, status: 'completed' },
        { type: 'local_shell_call_output', id: 'a', output: 'files' },
        { type: 'shell_call', call_id: 'b', action: { commands: ['ls'] } },
        { type: 'shell_call_output', call_id: 'b', output: [{ stdout: 'files' }] },
      ),
    ).toEqual([
      { role: 'assistant', content: null, tool_calls: [called('a', 'local_shell', JSON.stringify(action))] },
      { role: 'tool', tool_call_id: 'a', content: 'files' },
      { role: 'assistant', content: null, tool_calls: [called('b', 'shell', '{"commands":["ls"]}')] },
      { role: 'tool', tool_call_id: 'b', content: '[{"stdout":"files"}]' },
    ])
  })

  test('what a service ran by itself is left out', () => {
    expect(
      messagesOf(
        user('Go'),
        { type: 'web_search_call', id: 'ws_1', status: 'completed' },
        { type: 'mcp_list_tools', id: 'mcpl_1' },
        { type: 'compaction', encrypted_content: 'x' },
      ),
    ).toEqual([{ role: 'user', content: 'Go' }])
  })
})

describe('outputs', () => {
  test('follow their calls at once, whatever came between', () => {
    const roles = messagesOf(call('a'), user('Wait'), output('a')).map(({ role }) => role)
    expect(roles).toEqual(['assistant', 'tool', 'user'])
  })

  test('a call without one gets one', () => {
    expect(messagesOf(call('a'), user('Go on'))[1]).toEqual({ role: 'tool', tool_call_id: 'a', content: '(no output)' })
  })

  test('one without a call is the words of the user', () => {
    expect(messagesOf(output('lost', 'forty-two'))).toEqual([
      { role: 'user', content: expect.stringContaining('forty-two') },
    ])
  })

  test('an id that is used again belongs to the call before it', () => {
    const contents = messagesOf(call('a'), output('a', 'first'), call('a'), output('a', 'second'))
    expect(contents.map(({ content }) => content)).toEqual([null, 'first', null, 'second'])
  })

  test('images in them are shown behind all of them', () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' }
    const messages = messagesOf(call('a'), call('b'), output('a', [image]), output('b'))
    expect(messages.map(({ role }) => role)).toEqual(['assistant', 'tool', 'tool', 'user'])
    expect(messages[3]!.content).toEqual([{ type: 'image_url', image_url: { url: image.image_url } }])
  })
})

test.each<[string, object, string, string]>([
  ['an item of no known type', { type: 'mesage' }, 'invalid_value', 'input[1].type'],
  ['a reference', { type: 'item_reference', id: 'msg_1' }, 'unsupported_parameter', 'input[1]'],
  ['a message without a role', { content: 'x' }, 'missing_required_parameter', 'input[1].role'],
  ['a role of its own', { role: 'tool', content: 'x' }, 'invalid_value', 'input[1].role'],
  ['a message without content', { role: 'user' }, 'missing_required_parameter', 'input[1].content'],
  ['a part of no known type', user([{ type: 'text_' }]), 'invalid_value', 'input[1].content[0].type'],
  ['a part without its text', user([{ type: 'input_text' }]), 'missing_required_parameter', 'input[1].content[0].text'],
  [
    'a file of the service',
    user([{ type: 'input_image', file_id: 'file_1' }]),
    'unsupported_parameter',
    'input[1].content[0].file_id',
  ],
  ['a call without its id', { ...call(''), call_id: undefined }, 'missing_required_parameter', 'input[1].call_id'],
  ['arguments that are no text', { ...call('a'), arguments: {} }, 'invalid_value', 'input[1].arguments'],
  ['an output that is none', output('a', 7), 'invalid_value', 'input[1].output'],
])('%s is refused, by its place', (_, item, code, param) => {
  expect(() => messagesOf(user('Go'), item)).toThrow(expect.objectContaining({ code, param }))
})
