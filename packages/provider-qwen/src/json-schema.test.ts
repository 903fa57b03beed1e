import { expect, test } from 'vitest'
import { toPlainSchema } from './json-schema.ts'

test.for<[name: string, schema: Record<string, unknown>, plain: Record<string, unknown>]>([
  [
    'types in upper case, wherever they are',
    {
      type: 'OBJECT',
      properties: { a: { type: 'STRING' }, b: { type: 'ARRAY', items: { type: ['NUMBER', 'NULL'] } } },
      additionalProperties: { anyOf: [{ type: 'BOOLEAN' }] },
      $defs: { c: { type: 'INTEGER' } },
    },
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'array', items: { type: ['number', 'null'] } } },
      additionalProperties: { anyOf: [{ type: 'boolean' }] },
      $defs: { c: { type: 'integer' } },
    },
  ],
  [
    'limits as text',
    { type: 'integer', minimum: '1', maximum: '10.5', multipleOf: 'x', minLength: '' },
    { type: 'integer', minimum: 1, maximum: 10.5, multipleOf: 'x', minLength: '' },
  ],
  [
    'what names a schema',
    { $schema: 'https://json-schema.org/draft-07', $id: 'x', type: 'object', items: [{ $id: 'y' }] },
    { type: 'object', items: [{}] },
  ],
  [
    'properties that are called like keywords',
    { type: 'object', properties: { type: { type: 'STRING' }, minimum: { type: 'string' }, $id: { type: 'string' } } },
    { type: 'object', properties: { type: { type: 'string' }, minimum: { type: 'string' }, $id: { type: 'string' } } },
  ],
  [
    'values that look like keywords',
    { enum: ['STRING'], const: { type: 'STRING' } },
    { enum: ['STRING'], const: { type: 'STRING' } },
  ],
])('%s', ([, schema, plain]) => {
  expect(toPlainSchema(schema)).toEqual(plain)
})

test('a plain schema is the same object', () => {
  const schema = { type: 'object', properties: { a: { type: ['string', 'null'], minLength: 1 } }, required: ['a'] }
  expect(toPlainSchema(schema)).toBe(schema)
})
