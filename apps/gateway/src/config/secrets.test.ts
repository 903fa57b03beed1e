import { expect, test } from 'vitest'
import { toConfig } from './config.ts'
import { SAMPLES } from './sample-providers.ts'
import { configSchema } from './schema.ts'
import { secretsOf } from './secrets.ts'

const schema = configSchema(SAMPLES)

test('names every key and header value once, the longest first, and nothing that is too short to be one', () => {
  const file = schema.parse({
    auth: { keys: ['client-key-0123456789', '', { name: 'alice', key: 'client-key-0123456789' }] },
    admin: { key: 'admin-key-0123456789' },
    providers: {
      a: {
        kind: 'openai',
        baseUrl: 'https://a.example/v1',
        apiKey: 'upstream-key',
        headers: { 'x-key': 'header-key', 'x-team': 'a' },
      },
      b: { kind: 'anthropic', apiKey: 'upstream-key-of-b' },
      c: { kind: 'openai', baseUrl: 'https://c.example/v1', apiKey: 'ollama' },
    },
  })
  expect(secretsOf(toConfig(file, true))).toEqual([
    'client-key-0123456789',
    'admin-key-0123456789',
    'upstream-key-of-b',
    'upstream-key',
    'header-key',
  ])
})

test('there are none in the default configuration', () => {
  expect(secretsOf(toConfig(schema.parse({}), true))).toEqual([])
})

test('finds keys wherever they stand in the settings of a provider', () => {
  const { providers, ...config } = toConfig(
    schema.parse({ providers: { b: { kind: 'anthropic', apiKey: 'key-of-b' } } }),
    true,
  )
  const b = providers.get('b')!
  const settings = {
    ...b.settings,
    accounts: [
      { name: 'team', apiKey: 'key-of-an-account' },
      { name: 'aws', aws: { secretAccessKey: 'secret-of-aws' } },
    ],
  }
  const secrets = secretsOf({ ...config, providers: new Map([['b', { ...b, settings }]]) })
  expect(secrets).toEqual(['key-of-an-account', 'secret-of-aws', 'key-of-b'])
})
