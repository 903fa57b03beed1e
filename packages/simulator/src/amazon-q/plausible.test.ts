import { describe, expect, it } from 'vitest'
import type { Schema } from './conversation.ts'
import { toPlausible } from './plausible.ts'

describe('toPlausible', () => {
  it.each<[Schema, unknown]>([
    [{ type: 'object' }, {}],
    [
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['b'] },
      { b: 'simulated' },
    ],
    [
      {
        type: 'object',
        properties: {
          file_path: { type: 'string' },
          command: { type: 'string' },
          count: { type: 'integer', minimum: 3 },
          ratio: { type: 'number' },
          force: { type: ['boolean', 'null'] },
          mode: { enum: ['w', 'a'] },
          depth: { type: 'integer', default: 7 },
          list: { type: 'array', items: { type: 'object', properties: { url: {} }, required: ['url'] } },
          none: { type: 'null' },
        },
        required: ['file_path', 'command', 'count', 'ratio', 'force', 'mode', 'depth', 'list', 'none', 'undeclared'],
      },
      {
        file_path: 'README.md',
        command: 'echo hello',
        count: 3,
        ratio: 1,
        force: false,
        mode: 'w',
        depth: 7,
        list: [{ url: 'https://example.com/' }],
        none: null,
        undeclared: 'simulated',
      },
    ],
  ])('%j', (schema, value) => expect(toPlausible(schema)).toEqual(value))
})
