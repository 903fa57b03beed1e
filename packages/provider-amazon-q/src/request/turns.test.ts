import { expect, test } from 'vitest'
import {
  call,
  calls,
  image,
  PNG,
  result,
  saidIn,
  says,
  system,
  textsIn,
  user,
  type Message,
} from '../testing/conversations.ts'

test.for<[rule: string, messages: readonly Message[], texts: readonly string[]]>([
  [
    'sides alternate: neighbours of one side are merged',
    [user('a'), user('b'), says('c'), says('d'), user('e')],
    ['a\n\nb', 'c\n\nd', 'e'],
  ],
  [
    'text parts are joined by line breaks',
    [
      user([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
    ],
    ['a\nb'],
  ],
  ['the user speaks first', [says('a'), user('b')], ['The conversation begins with your words.', 'a', 'b']],
  ['the system prompt is what the user says first', [system('s'), says('a'), user('b')], ['s', 'a', 'b']],
  ['the user speaks last', [user('a'), says('b')], ['a', 'b', 'Continue.']],
  [
    'instructions at the beginning are one',
    [system('s'), { role: 'developer', content: 't' }, user('a')],
    ['s\n\nt', 'Understood.', 'a'],
  ],
  ['instructions alone are the message', [system('s')], ['s']],
  ['later instructions are words of the user', [user('a'), says('b'), system('s'), user('c')], ['a', 'b', 's\n\nc']],
  [
    'messages that say nothing are left out',
    [user('a'), says(''), user(' \n'), user('b'), { role: 'assistant', content: null }],
    ['a\n\nb'],
  ],
  ['a conversation of nothing goes on', [user('')], ['Continue.']],
  ['a blank system prompt is none', [system(' '), user('a')], ['a']],
  ['results of tools need words', [user('a'), calls('1'), result('1')], ['a', 'I look.', 'Tool results are attached.']],
  [
    'words next to results are those of the user',
    [user('a'), calls('1'), result('1'), user('b')],
    ['a', 'I look.', 'b'],
  ],
  [
    'calls need words',
    [user('a'), { ...calls('1'), content: null }, result('1')],
    ['a', 'Let me do that.', 'Tool results are attached.'],
  ],
  ['images need words', [user([image()])], ['Images are attached.']],
  [
    'a refusal is what the assistant said',
    [user('a'), { role: 'assistant', content: null, refusal: 'No.' }, user('b')],
    ['a', 'No.', 'b'],
  ],
  [
    'halves of characters are replaced',
    [user('a\ud83d'), says('\ude00b'), user('\ud83d\ude00')],
    ['a\ufffd', '\ufffdb', '\ud83d\ude00'],
  ],
])('%s', async ([, messages, texts]) => {
  expect(await textsIn(messages)).toEqual(texts)
})

test.for<[rule: string, messages: readonly Message[], results: object, text: string]>([
  [
    'results come in the order of the calls',
    [user(), calls('1', '2'), result('2'), result('1')],
    { 1: ['of 1'], 2: ['of 2'] },
    'Tool results are attached.',
  ],
  [
    'a result behind words is still in its turn',
    [user(), calls('1'), user('quick'), result('1')],
    { 1: ['of 1'] },
    'quick',
  ],
  [
    'calls of two messages are answered together',
    [user(), calls('1'), calls('2'), result('1'), result('2')],
    { 1: ['of 1'], 2: ['of 2'] },
    'Tool results are attached.',
  ],
  [
    'two results of one call are both kept',
    [user(), calls('1'), result('1', 'a'), result('1', 'b')],
    { 1: ['a', 'b'] },
    'Tool results are attached.',
  ],
  [
    'two calls of one id have a result each',
    [user(), calls('1', '1'), result('1', 'a'), result('1', 'b')],
    { 1: ['a'], '1_2': ['b'] },
    'Tool results are attached.',
  ],
  [
    'an id used again is another',
    [user(), calls('1'), result('1'), calls('1'), result('1', 'b')],
    { '1_2': ['b'] },
    'Tool results are attached.',
  ],
  [
    'a call without a result was cancelled',
    [user(), calls('1', '2'), result('2')],
    { 1: ['The call was cancelled: there is no result.'], 2: ['of 2'] },
    'Tool results are attached.',
  ],
  [
    'calls at the end were cancelled',
    [user(), calls('1')],
    { 1: ['The call was cancelled: there is no result.'] },
    'Tool results are attached.',
  ],
  [
    'no output is told in words',
    [user(), calls('1'), result('1', '')],
    { 1: ['The tool gave no output.'] },
    'Tool results are attached.',
  ],
  [
    'an image is an output, too',
    [user(), calls('1'), result('1', [image()])],
    { 1: ['The output is attached as images.'] },
    'Tool results are attached.',
  ],
  [
    'a result of no call is words of the user',
    [user(), calls('1'), result('1'), result('9')],
    { 1: ['of 1'] },
    'Output of an earlier tool call:\nof 9',
  ],
  [
    'ids are made acceptable on both sides',
    [user(), calls('call:1.x'), result('call:1.x', 'a')],
    { call_1_x: ['a'] },
    'Tool results are attached.',
  ],
])('%s', async ([, messages, results, text]) => {
  const { content, userInputMessageContext } = (await saidIn(messages)).at(-1)!
  const sent = userInputMessageContext?.toolResults ?? []
  expect(sent.map(({ toolUseId, content }) => [toolUseId, content.map(({ text }) => text)])).toEqual(
    Object.entries(results),
  )
  expect(sent.filter(({ status }) => status === 'error').map(({ content }) => content[0]?.text)).toEqual(
    Object.values(results as Record<string, string[]>)
      .flat()
      .filter(text => text.startsWith('The call was cancelled')),
  )
  expect(content).toBe(text)
})

test('a history that begins with the result of a tool has it as words', async () => {
  const [first] = await saidIn([result('1'), says('a'), user('b')])
  expect(first).toEqual({ content: 'Output of an earlier tool call:\nof 1', origin: 'CLI' })
})

test.for<[rule: string, given: unknown, input: unknown]>([
  ['objects as they are', '{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
  ['nothing as no arguments', undefined, {}],
  ['an object that is not in a string', { a: 1 }, { a: 1 }],
  ['half of an object as text', '{"a":"b', { arguments: '{"a":"b' }],
  ['other JSON as text', '[1]', { arguments: '[1]' }],
  ['members without a name under another', '{"" : {"":1}}', { _: { _: 1 } }],
  [
    'halves of characters replaced',
    String.raw`{"a\ud83d":"\ude00","b":"\ud83d\ude00"}`,
    { 'a\ufffd': '\ufffd', b: '😀' },
  ],
])('arguments of calls are objects: %s', async ([, given, input]) => {
  const messages: Message[] = [user(), { role: 'assistant', tool_calls: [call('1', 'look', given)] }, result('1')]
  expect((await saidIn(messages))[1]?.toolUses).toEqual([{ toolUseId: '1', name: 'look', input }])
})

test('an output is cut where the service stops to take it, and the model is told', async () => {
  const said = await saidIn([user(), calls('1'), result('1', 'a'.repeat(400_010))])
  const text = said.at(-1)!.userInputMessageContext!.toolResults![0]!.content[0]!.text
  expect(text).toBe(`${'a'.repeat(400_000)}\n[The output goes on for 10 characters, which are left out here.]`)
})

const other = (format: string): object => image(`data:image/${format};base64,AAAA`)

test('images of merged messages and of results are in their turn, in their order', async () => {
  const said = await saidIn([
    user([image(), { type: 'text', text: 'a' }] as Message['content']),
    user([other('jpg')] as Message['content']),
    calls('1'),
    result('1', [{ type: 'text', text: 'b' }, other('webp')] as Message['content']),
    user([other('gif')] as Message['content']),
  ])
  const source = { bytes: 'AAAA' }
  expect(said.map(({ images }) => images)).toEqual([
    [
      { format: 'png', source: { bytes: PNG } },
      { format: 'jpeg', source },
    ],
    undefined,
    [
      { format: 'webp', source },
      { format: 'gif', source },
    ],
  ])
})
