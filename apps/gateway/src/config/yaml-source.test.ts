import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseYaml } from './yaml-source.ts'

describe('values', () => {
  test.each([
    ['', {}],
    ['# nothing but a comment\n', {}],
    ['a: 1\nb: [x, true, null]\nc: { d: "2" }\n', { a: 1, b: ['x', true, null], c: { d: '2' } }],
    ['a:\nb: 1\n', { b: 1 }],
    ['a: ~\n', { a: null }],
    ['a:\n  - \n  - x\n', { a: ['', 'x'] }],
    ['8080: x\n', { '8080': 'x' }],
    ['a: &t { b: 1 }\nc: *t\n', { a: { b: 1 }, c: { b: 1 } }],
    ['a: ${N}\nb: "${N}"\nc: x${N}\n', { a: 1, b: '1', c: 'x1' }],
    ['a: ${MISSING:-}\nb: "${MISSING:-}"\nc: ["${MISSING:-}"]\n', { c: [''] }],
    ['a: ${STRUCTURE}\n', { a: '{ b: 1 }\nc: 2' }],
    ['${N}: 1\n', { '${N}': 1 }],
    ['- 1\n', [1]],
    ['just text', 'just text'],
  ])('%j', (text, value) => {
    const source = parseYaml(text, { N: '1', STRUCTURE: '{ b: 1 }\nc: 2' })
    expect(source.mistakes).toEqual([])
    expect(source.value).toEqual(value)
  })

  test('a name that reaches for the prototype is a name like any other', () => {
    const { value } = parseYaml('__proto__: { polluted: 1 }\n', {})
    expect(Object.keys(value as object)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('the other reading and the origin of what came from the environment are noted', () => {
    const { notes } = parseYaml('a: ${N}\nb: { c: ["${N}"] }\nd: ${X:-2}${N}\n', { N: '1' })
    expect(Object.fromEntries(notes)).toEqual({
      a: { origin: '${N}', otherwise: '1' },
      'b.c[0]': { origin: '${N}', otherwise: 1 },
      d: { origin: '${X} and ${N}' },
    })
  })
})

describe('mistakes', () => {
  test.each([
    ['a: "x\n', '', 2, 1, 'Missing closing "quote'],
    ['a: [${X}]\n', '', 1, 6, 'put quotes around `${…}` within brackets'],
    ['a:\n\tb: 1\n', '', 2, 1, 'Tabs are not allowed'],
    ['a: !env X\n', '', 1, 4, 'Unresolved tag'],
    ['a: 1\n---\nb: 2\n', '', 2, 1, 'A second document begins here'],
    ['a: 1\nb:\n  c: 1\n  c: 2\n', 'b.c', 4, 3, 'stands here a second time'],
    ['a: *x\n', 'a', 1, 1, 'stands for an anchor that is not there'],
    ['a:\n  b: ${X}\n', 'a.b', 2, 3, 'the environment variable X is not set'],
    ['a: [1, "${X}"]\n', 'a[1]', 1, 8, 'the environment variable X is not set'],
    [`a: ${'['.repeat(40)}${']'.repeat(40)}\n`, 'a', 1, 1, 'is nested more than 32 levels deep'],
    ['a: &x [*x]\n', 'a', 1, 1, 'is nested more than 32 levels deep'],
  ])('%j', (text, path, line, column, message) => {
    const [mistake] = parseYaml(text, {}).mistakes
    expect(mistake).toEqual({ path, position: { line, column }, message: expect.stringContaining(message) })
  })

  test('aliases that double each other come to an end', () => {
    const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]`)
    const { mistakes } = parseYaml(`l0: &l0 x\n${levels.join('\n')}\n`, {})
    expect(mistakes).toEqual([expect.objectContaining({ message: expect.stringContaining('is larger than') })])
  })

  test('none repeats a value, and nothing else goes wrong, wherever the text is broken', () => {
    const whole = 'auth:\n  keys: [canary, "canary"]\nproviders:\n  a: { apiKey: canary }\n  b:\n    apiKey: canary\n'
    const piece = fc.constantFrom('', ...'"\'{}[]:,#&*!|>%@`?-\n\t \0', '---\n', '...\n', '${', '<<: ')
    const change = fc.record({ at: fc.nat(whole.length), removed: fc.nat(2), piece })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
        const text = changes.reduce(
          (text, { at, removed, piece }) => text.slice(0, at) + piece + text.slice(at + removed),
          whole,
        )
        for (const { message } of parseYaml(text, {}).mistakes) expect(message).not.toContain('canary')
      }),
      { numRuns: 1000 },
    )
  })

  test('after one in the syntax nothing is taken as read', () => {
    expect(parseYaml('a: 1\nb: "\n', {}).value).toBeUndefined()
  })
})

test('positions are those of the names, or of what is around when they are not there', () => {
  const { positionOf } = parseYaml('a: 1\nb:\n  c.d:\n    - x\n    - { e: 1 }\n', {})
  expect(positionOf(['a'])).toEqual({ line: 1, column: 1 })
  expect(positionOf(['b', 'c.d', 1, 'e'])).toEqual({ line: 5, column: 9 })
  expect(positionOf(['b', 'c.d', 1, 'missing'])).toEqual({ line: 5, column: 7 })
  expect(positionOf(['b', 'missing', 'too'])).toEqual({ line: 2, column: 1 })
  expect(positionOf(['missing'])).toBeUndefined()
})
