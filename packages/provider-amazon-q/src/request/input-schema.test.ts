import { expect, test } from 'vitest'
import { toInputSchema } from './input-schema.ts'

const text = { type: 'string' }
const number = { type: 'number' }
const EMPTY = { type: 'object', properties: {} }

test('a bare schema has nothing that only narrows down which values are good', () => {
  const item = { type: 'string', description: 'd', enum: ['a'] }
  const narrow = { ...item, pattern: '^a', minLength: 1, format: 'uri' }
  const parameters = {
    properties: {
      pattern: narrow,
      list: { type: 'array', items: narrow, minItems: 1, uniqueItems: true },
      any: { anyOf: [narrow] },
    },
    required: ['pattern'],
    if: { properties: { pattern: { const: 'a' } } },
    else: { required: ['list'] },
  }
  expect(toInputSchema(parameters, true)).toEqual({
    type: 'object',
    properties: { pattern: item, list: { type: 'array', items: item }, any: { anyOf: [item] } },
    required: ['pattern'],
  })
})

test.for<[rule: string, parameters: unknown, schema: object]>([
  ['no schema', undefined, EMPTY],
  ['a schema that is none', 'x', EMPTY],
  ['an object without properties', { type: 'object' }, EMPTY],
  ['null for properties', { type: 'object', properties: null }, EMPTY],
  ['a root of no type', { properties: { a: text } }, { type: 'object', properties: { a: text } }],
  ['a root of several types', { type: ['object', 'null'], properties: {} }, EMPTY],
  ['what the service refuses', { $schema: 'x', ...EMPTY, additionalProperties: false, required: [] }, EMPTY],
  ['null for required', { ...EMPTY, required: null }, EMPTY],
  [
    'what it refuses further down',
    { properties: { a: { type: 'array', items: [{ ...EMPTY, required: [] }] }, b: { anyOf: [{ $schema: 'x' }] } } },
    { type: 'object', properties: { a: { type: 'array', items: [EMPTY] }, b: { anyOf: [{}] } } },
  ],
  [
    'properties of such names',
    { properties: { $schema: text, additionalProperties: text, required: text }, required: ['required'] },
    {
      type: 'object',
      properties: { $schema: text, additionalProperties: text, required: text },
      required: ['required'],
    },
  ],
  [
    'values that look like schemas',
    { properties: { a: { enum: [{ required: [] }], default: { $schema: 1 } } } },
    { type: 'object', properties: { a: { enum: [{ required: [] }], default: { $schema: 1 } } } },
  ],
  [
    'the rest as it is',
    { type: 'object', properties: { a: { type: 'string', pattern: 'x', minLength: 1 } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'string', pattern: 'x', minLength: 1 } }, required: ['a'] },
  ],
  [
    'alternatives at the root',
    {
      description: 'd',
      anyOf: [
        { properties: { kind: { const: 'a' }, x: text }, required: ['kind', 'x'] },
        { oneOf: [{ properties: { kind: { const: 'b' }, x: text }, required: ['kind'] }, { type: 'null' }] },
      ],
    },
    { description: 'd', properties: { kind: { anyOf: [{ const: 'a' }, { const: 'b' }] }, x: text }, type: 'object' },
  ],
  [
    'parts at the root',
    { properties: { a: text }, required: ['a'], allOf: [{ properties: { b: number }, required: ['b', 'a'] }] },
    { type: 'object', properties: { a: text, b: number }, required: ['a', 'b'] },
  ],
  [
    'a reference at the root',
    { $ref: '#/definitions/A', definitions: { A: { type: 'object', properties: { a: text }, required: ['a'] } } },
    {
      type: 'object',
      properties: { a: text },
      required: ['a'],
      definitions: { A: { type: 'object', properties: { a: text }, required: ['a'] } },
    },
  ],
  [
    'references in a circle',
    { $ref: '#/$defs/A', $defs: { A: { allOf: [{ $ref: '#/$defs/A' }, { $ref: '#' }], properties: { a: text } } } },
    {
      type: 'object',
      properties: { a: text },
      $defs: { A: { allOf: [{ $ref: '#/$defs/A' }, { $ref: '#' }], properties: { a: text } } },
    },
  ],
  ['a reference to nothing', { $ref: '#/nowhere/at/all' }, EMPTY],
])('%s', ([, parameters, schema]) => {
  expect(toInputSchema(parameters)).toEqual(schema)
})
