import { array, assert, constantFrom, property, record, subarray } from 'fast-check'
import { expect, test } from 'vitest'
import { toOrderedHistory } from './history.ts'
import type { Message } from './content.ts'

const user = (content = 'u'): Message => ({ role: 'user', content })
const says = (content: string): Message => ({ role: 'assistant', content })
const call = (id: string): { id: string; type: string } => ({ id, type: 'function' })
const calls = (...ids: readonly string[]): Message => ({ role: 'assistant', content: '', tool_calls: ids.map(call) })
const result = (id: string, content = `of ${id}`): Message => ({ role: 'tool', tool_call_id: id, content })

test.for<[name: string, messages: readonly Message[], ordered: readonly Message[]]>([
  ['a result that nobody asked for', [user(), result('a')], [user()]],
  ['a call that nobody answered', [user(), calls('a'), user()], [user(), user()]],
  ['the last call, unanswered', [user(), calls('a')], [user()]],
  [
    'a call that nobody answered, beside text',
    [user(), { ...calls('a'), content: 'I will.' }, user()],
    [user(), says('I will.'), user()],
  ],
  ['one call of two that nobody answered', [user(), calls('a', 'b'), result('b')], [user(), calls('b'), result('b')]],
  [
    'a result behind another message',
    [user(), calls('a'), user('quick'), result('a')],
    [user(), calls('a'), result('a'), user('quick')],
  ],
  [
    'a result before its call',
    [user(), result('a'), calls('a'), result('a', 'again')],
    [user(), calls('a'), result('a', 'again')],
  ],
  [
    'two results of one call',
    [user(), calls('a'), result('a', '1'), result('a', '2')],
    [user(), calls('a'), result('a', '1')],
  ],
  [
    'two calls, and both results behind them',
    [user(), calls('a'), calls('b'), result('a'), result('b')],
    [user(), calls('a'), result('a'), calls('b'), result('b')],
  ],
  [
    'an id that is used again',
    [user(), calls('a'), user(), calls('a'), result('a')],
    [user(), user(), calls('a'), result('a')],
  ],
  ['two texts in a row', [user(), says('a'), says('b')], [user(), says('a\nb')]],
  [
    'a text and a call in a row',
    [user(), says('a'), calls('b'), result('b')],
    [user(), { ...calls('b'), content: 'a' }, result('b')],
  ],
  [
    'a text and a list in a row',
    [user(), says('a'), { role: 'assistant', content: [{ type: 'text', text: 'b', x: 1 }] }],
    [
      user(),
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b', x: 1 },
        ],
      },
    ],
  ],
])('%s', ([, messages, ordered]) => {
  expect(toOrderedHistory(messages)).toEqual(ordered)
})

test.for<[name: string, messages: readonly Message[]]>([
  ['a talk', [{ role: 'system', content: 's' }, user(), says('a'), user()]],
  [
    'calls and results',
    [user(), calls('a', 'b'), result('b'), result('a'), says('x'), user(), calls('a'), result('a')],
  ],
  ['the beginning of an answer behind another', [user(), says('a'), { ...says('b'), partial: true }]],
  ['a call without an id', [user(), { ...calls(), tool_calls: [{ type: 'function' }] }, user()]],
])('%s stays the same list', ([, messages]) => {
  expect(toOrderedHistory(messages)).toBe(messages)
})

test('whatever comes, what goes out is in order, and nothing is added', () => {
  const ids = ['a', 'b', 'c']
  const message = constantFrom(...ids).chain(id =>
    record({
      kind: constantFrom('user', 'says', 'calls', 'result'),
      several: subarray(ids, { minLength: 1 }),
    }).map(({ kind, several }): Message => {
      if (kind === 'user') return user()
      if (kind === 'says') return says('s')
      return kind === 'calls' ? calls(...several) : result(id)
    }),
  )
  assert(
    property(array(message, { maxLength: 12 }), messages => {
      const ordered = toOrderedHistory(messages)
      expect(toOrderedHistory(ordered)).toBe(ordered)
      expect(ordered.filter(({ role }) => role === 'user')).toEqual(messages.filter(({ role }) => role === 'user'))
      expect(ordered.length).toBeLessThanOrEqual(messages.length)
    }),
  )
})
