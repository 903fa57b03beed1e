import { readFile } from 'node:fs/promises'
import { GatewayError } from '@millrace/core'
import { expect, test } from 'vitest'
import { wordsOf } from './words-of.ts'

test.each([
  ['an error', new Error('words'), 'words'],
  [
    'an error of ours, which has a code of another kind',
    new GatewayError('connect_failed', 'nobody there'),
    'nobody there',
  ],
  ['a text', 'words', 'words'],
  ['nothing', undefined, 'undefined'],
])('of %s', (_what, thrown, words) => {
  expect(wordsOf(thrown)).toBe(words)
})

test('of the system the code, and no path', async () => {
  const error: unknown = await readFile('/no/such/file').catch((thrown: unknown) => thrown)
  expect(wordsOf(error)).toBe('ENOENT')
})
