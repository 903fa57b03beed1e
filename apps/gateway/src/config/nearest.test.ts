import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const names = ['kind', 'baseUrl', 'apiKey', 'headers', 'timeouts', 'streaming', 'defaultModel', 'models']

test.each([
  ['baseurl', 'baseUrl'],
  ['base_url', 'baseUrl'],
  ['BASE-URL', 'baseUrl'],
  ['baesUrl', 'baseUrl'],
  ['api_key', 'apiKey'],
  ['timeout', 'timeouts'],
  ['model', 'models'],
  ['default_model', 'defaultModel'],
  ['streaming', 'streaming'],
  ['retries', undefined],
  ['x', undefined],
  ['', undefined],
])('%j is meant to be %j', (word, expected) => {
  expect(nearest(word, names)).toBe(expected)
})

test('nothing comes near where there is nothing', () => {
  expect(nearest('kind', [])).toBeUndefined()
})
