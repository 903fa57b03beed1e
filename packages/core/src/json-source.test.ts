import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from './errors.ts'
import { parseJsonSource } from './json-source.ts'

const parse = (text: string | Buffer) => parseJsonSource(Buffer.from(text as string))

/** What the parser says against `text`, and undefined where it says nothing. */
function refusalOf(text: string | Buffer): string | undefined {
  try {
    parse(text)
    return undefined
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'invalid_json') throw error
    return error.message
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
const wide = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join()}}`

describe('accepts', () => {
  test.each([
    ['an object', '{"model":"a","messages":[{"role":"user","content":"hi"}]}'],
    ['nothing in it', ' { } '],
    ['text in every script and escape', '{"a":"日本 \\u65e5 \\ud83d\\ude00 \\n \\" \\\\ 😀"}'],
    ['braces, commas and quotes within strings', '{"a":"},{\\"b\\":1","c":"]["}'],
    ['a string that ends in a backslash', '{"a":"\\\\","b":"\\\\\\\\","c":1}'],
    ['lone surrogates as escapes', '{"a":"\\ud800"}'],
    ['the same name in different objects', '{"a":{"a":1},"b":[{"a":1},{"a":2}]}'],
    ['64 levels', nested(64)],
    ['10,000 members', wide(10_000)],
    ['ordinary and long numbers', `{"a":[0,-1,1.5,1e5,1E-400,${'1'.repeat(300)}]}`],
    ['constructor and prototype apart', '{"a":{"prototype":1,"b":{"constructor":1}}}'],
  ])('%s', (_, text) => {
    expect(parse(text).value).toEqual(JSON.parse(text))
  })

  test('a byte order mark, which is dropped', () => {
    expect(parse('\ufeff{"a":1}').with({}).toString()).toBe('{"a":1}')
  })
})

describe('refuses', () => {
  test.each([
    ['an empty body', '', 'The body is not valid JSON: Unexpected end of JSON input.'],
    ['half an object', '{"a":', 'The body is not valid JSON: Unexpected end of JSON input.'],
    [
      'something behind the object',
      '{"a":1}x',
      'The body is not valid JSON: Unexpected non-whitespace character, at position 7.',
    ],
    ['half a number', '{"a":1e}', 'The body is not valid JSON: Exponent part is missing a number, at position 7.'],
    ['an array', '[{}]', 'The body must be a JSON object.'],
    ['null', 'null', 'The body must be a JSON object.'],
    ['text', '"{}"', 'The body must be a JSON object.'],
    ['65 levels', nested(65), 'The body is nested more than 64 levels deep.'],
    ['a great many brackets', `{"a":${'['.repeat(1_000_000)}`, 'The body is nested more than 64 levels deep.'],
    ['10,001 members', wide(10_001), 'An object in the body has more than 10000 members.'],
    ['a member twice', '{"model":"a","model":"b"}', 'The member "model" stands twice in one object.'],
    [
      'a member twice, once in escapes',
      '{"model":"a","\\u006dodel":"b"}',
      'The member "model" stands twice in one object.',
    ],
    ['a member twice, deep down', '{"a":[{"b":{"c":1,"d":2,"c":3}}]}', 'The member "c" stands twice in one object.'],
    ['a member twice among many', `${wide(100).slice(0, -1)},"k7":2}`, 'The member "k7" stands twice in one object.'],
    ['__proto__', '{"__proto__":{"a":1}}', 'A member may not be called "__proto__".'],
    ['__proto__ in escapes, deep down', '{"a":[{"\\u005f_proto__":1}]}', 'A member may not be called "__proto__".'],
    ['constructor.prototype', '{"a":{"constructor":{"prototype":{}}}}', 'A member may not be called "prototype".'],
    ['constructor', '{"constructor":1}', 'A member may not be called "constructor".'],
    ['toString', '{"toString":1}', 'A member may not be called "toString".'],
    ['a number beyond all bounds', '{"a":1e999}', 'A number in the body is too large.'],
    ['the same below zero', '{"a":-1E999}', 'A number in the body is too large.'],
    ['the same in digits', `{"a":${'9'.repeat(400)}}`, 'A number in the body is too large.'],
  ])('%s', (_, text, message) => {
    expect(refusalOf(text)).toBe(message)
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })

  test.each([
    ['half a character', Buffer.from([0x7b, 0x22, 0xe6, 0x97, 0x22, 0x3a, 0x31, 0x7d])],
    ['an encoded surrogate', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le')],
  ])('what is not UTF-8: %s', (_, bytes) => {
    expect(refusalOf(bytes)).toBe('The body is not valid UTF-8.')
  })

  test.each(['{"messages":"canary" "x"}', '{"messages":canary}', '{"canary}', '{"messages":["canary",]}', 'canary'])(
    'without repeating what was in the body: %s',
    text => {
      expect(refusalOf(text)).not.toContain('canary')
    },
  )

  test('a doubled name of great length, cut short', () => {
    const name = 'n'.repeat(100_000)
    expect(refusalOf(`{"${name}":1,"${name}":2}`)?.length).toBeLessThan(120)
  })
})

describe('with', () => {
  const source = parse('{ "model" : "a" , "messages":[ 1,\n2 ],"seed" : 12345678901234567890 ,"stop":null }')

  test.each([
    ['nothing', {}, '{"model" : "a","messages":[ 1,\n2 ],"seed" : 12345678901234567890,"stop":null}'],
    ['one changed', { model: 'b' }, '{"messages":[ 1,\n2 ],"seed" : 12345678901234567890,"stop":null,"model":"b"}'],
    ['one left out', { stop: undefined }, '{"model" : "a","messages":[ 1,\n2 ],"seed" : 12345678901234567890}'],
    [
      'one left out that is not there',
      { user: undefined, stop: undefined, seed: undefined, messages: undefined },
      '{"model" : "a"}',
    ],
    [
      'one new, null',
      { model: null, messages: [], seed: 1, stop: 'x', user: 'é"' },
      '{"model":null,"messages":[],"seed":1,"stop":"x","user":"é\\""}',
    ],
    ['all left out', { model: undefined, messages: undefined, seed: undefined, stop: undefined }, '{}'],
  ])('%s', (_, edits, expected) => {
    expect(source.with(edits).toString()).toBe(expected)
  })

  test('a name that came in escapes is found under what it says', () => {
    expect(parse('{"\\u006dodel":"a","x":1}').with({ model: 'b' }).toString()).toBe('{"x":1,"model":"b"}')
  })

  test('an empty object takes members', () => {
    expect(parse('{}').with({ a: 1 }).toString()).toBe('{"a":1}')
  })

  test('gives what an edited object would, for any object in any layout', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 8 }).filter(name => name !== '__proto__' && !(name in {}))
    const json = fc.dictionary(name, fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), {
      maxKeys: 20,
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(
        json,
        fc.dictionary(name, fc.jsonValue(), { maxKeys: 3, noNullPrototype: true }),
        fc.constantFrom(0, 1, 2),
        (value, set, indent) => {
          const text = JSON.stringify(value, null, indent)
          fc.pre(!/"(?:__proto__|prototype)"/.test(text))
          const [left] = Object.keys(value)
          const edits = left === undefined || left in set ? set : { ...set, [left]: undefined }
          const source = parse(text)
          expect(source.value).toEqual(JSON.parse(text))
          const expected = JSON.parse(JSON.stringify({ ...value, ...edits })) as unknown
          expect(JSON.parse(source.with(edits).toString())).toEqual(expected)
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('accepts exactly what JSON.parse accepts: objects with one place in their text changed', () => {
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'é"'), fc.jsonValue({ maxDepth: 3 }), {
    noNullPrototype: true,
  })
  const piece = fc.constantFrom('', ...'{}[]",:\\ \n1-e.tn\u0001')
  fc.assert(
    fc.property(object, fc.nat(), fc.nat(3), piece, (value, position, removed, piece) => {
      const whole = JSON.stringify(value)
      const at = 1 + (position % whole.length)
      const text = whole.slice(0, at) + piece + whole.slice(at + removed)
      const refusal = refusalOf(text)
      fc.pre(refusal === undefined || !/twice|called|too large/.test(refusal))
      expect(refusal === undefined).toBe(isJson(text))
    }),
    { numRuns: 2000 },
  )
})
