import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { createToolNames } from './tool-names.ts'

const sentOf = (name: string): string => createToolNames().toSent(name)

test.for<[name: string, sent: RegExp]>([
  ['look-at_2', /^look-at_2$/],
  ['a'.repeat(64), /^a{64}$/],
  ['a'.repeat(65), /^a{55}_[\da-f]{8}$/],
  ['my.tool', /^my_tool_[\da-f]{8}$/],
  ['9lives', /^t_9lives_[\da-f]{8}$/],
  ['é', /^t___[\da-f]{8}$/],
])('%s', ([name, sent]) => {
  expect(sentOf(name)).toMatch(sent)
})

test('a name that another was changed to is changed itself', () => {
  const names = createToolNames()
  const changed = names.toSent('my.tool')
  const other = names.toSent(changed)
  expect(other).not.toBe(changed)
  expect(names.changed()).toEqual(
    new Map([
      [changed, 'my.tool'],
      [other, changed],
    ]),
  )
})

test('any names can be changed back', () => {
  const name = oneof(string({ unit: 'binary' }), constantFrom('a.b', 'a_b', 'a b', 'x'.repeat(65), 'x'.repeat(66)))
  assert(
    property(array(name, { maxLength: 8 }), given => {
      const names = createToolNames()
      const sent = given.map(names.toSent)
      for (const name of sent) expect(name).toMatch(/^[a-zA-Z][\w-]{0,63}$/)
      const changed = names.changed()
      expect(sent.map(name => changed.get(name) ?? name)).toEqual(given)
    }),
    { numRuns: 100 },
  )
})
