import { expect, test } from 'vitest'
import { fillIn, toScalar } from './placeholders.ts'

const env = { NAME: 'value', EMPTY: '', TRICKY: '${NAME} $${NAME} $& \n- x: {y}', _2: 'two' }

test.each([
  ['nothing to fill in, $NAME {NAME} $', 'nothing to fill in, $NAME {NAME} $', false],
  ['${NAME}', 'value', true],
  ['${_2}', 'two', true],
  ['a ${NAME} b ${_2}', 'a value b two', false],
  ['${NAME}${NAME}', 'valuevalue', false],
  ['${NAME:-default}', 'value', true],
  ['${MISSING:-default}', 'default', true],
  ['${EMPTY:-default}', 'default', true],
  ['${MISSING:-a:-b $c/d?e=f}', 'a:-b $c/d?e=f', true],
  ['${MISSING:-}', '', true],
  ['${TRICKY}', env.TRICKY, true],
  ['$${NAME}', '${NAME}', false],
  ['$${NAME} ${NAME}', '${NAME} value', false],
])('%j becomes %j', (text, filled, isWhole) => {
  expect(fillIn(text, env)).toMatchObject({ text: filled, isWhole, problems: [] })
})

test.each([
  ['${MISSING}', 'the environment variable MISSING is not set'],
  ['${EMPTY}', 'the environment variable EMPTY is empty'],
  ['${toString}', 'the environment variable toString is not set'],
  ['${', 'begins no placeholder'],
  ['${}', 'begins no placeholder'],
  ['${1NAME}', 'begins no placeholder'],
  ['${NAME', 'begins no placeholder'],
  ['${NAME-default}', 'begins no placeholder'],
  ['${NAME:default}', 'begins no placeholder'],
  ['${MISSING:-${NAME}}', 'begins no placeholder'],
])('%j is a mistake', (text, problem) => {
  expect(fillIn(text, env).problems).toEqual([expect.stringContaining(problem)])
})

test('every placeholder that lacks its variable is named', () => {
  const { problems } = fillIn('${A}:${NAME}:${B}', env)
  expect(problems).toEqual([expect.stringContaining(' A is'), expect.stringContaining(' B is')])
})

test.each([
  ['8080', 8080],
  ['-1.5', -1.5],
  ['.5', 0.5],
  ['1e3', 1000],
  ['true', true],
  ['False', false],
  ['', ''],
  ['yes', 'yes'],
  ['null', 'null'],
  ['0x10', '0x10'],
  ['1_000', '1_000'],
  ['12 ', '12 '],
  ['1.2.3', '1.2.3'],
  ['[1]', '[1]'],
])('%j read by itself is %j', (text, scalar) => {
  expect(toScalar(text)).toBe(scalar)
})
