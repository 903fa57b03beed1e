import { expect, test } from 'vitest'
import { GatewayError } from '@millrace/core'
import { bodyOf, image, says, system, tool, user, type Message } from '../testing/conversations.ts'

async function refusalOf(messages: readonly Message[], members: object = {}): Promise<unknown> {
  const error: unknown = await bodyOf(messages, members).catch((error: unknown) => error)
  if (!(error instanceof GatewayError)) throw new Error('Nothing was refused.')
  return { status: error.status, code: error.code, param: error.param, message: error.message }
}

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
