import { expect, test } from 'vitest'
import { mask, secretsIn } from './secrets.ts'

test.each([
  ['a key behind its scheme', { authorization: 'Bearer test-token-1' }, 'No test-token-1.', 'No [masked].'],
  ['a key alone', { 'api-key': 'dGVzdC1rZXk=' }, 'No dGVzdC1rZXk=.', 'No [masked].'],
  [
    'the values of a signature, and not what they are called',
    { authorization: 'AWS4-HMAC-SHA256 Credential=TESTKEY/20260101, Signature=0123456789abcdef' },
    'The Signature 0123456789abcdef of the Credential TESTKEY/20260101 is wrong.',
    'The Signature [masked] of the Credential [masked] is wrong.',
  ],
  ['what is too short to be one', { authorization: 'Bearer abc' }, 'abc', 'abc'],
])('%s', (_, headers, words, masked) => {
  expect(mask(words, secretsIn(headers))).toBe(masked)
})

test('nothing is masked for a secret that is not there', () => {
  expect(mask('undefined words', [undefined, ''])).toBe('undefined words')
})
