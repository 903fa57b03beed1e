import { expect, test } from 'vitest'
import { findWellKnown, WELL_KNOWN } from './well-known.ts'

test('nothing is found in an empty environment, nor behind empty variables', () => {
  expect(findWellKnown({})).toEqual([])
  expect(findWellKnown(Object.fromEntries(WELL_KNOWN.map(({ variable }) => [variable, ' '])))).toEqual([])
})

test('each variable makes its own provider', () => {
  for (const { variable, provider, kind, baseUrl } of WELL_KNOWN.filter(({ isHost }) => !isHost)) {
    expect(findWellKnown({ [variable]: ' test-key\n' })).toEqual([
      { provider, kind, variable, baseUrl, apiKey: 'test-key' },
    ])
  }
})

test('OPENAI_BASE_URL moves the provider of OPENAI_API_KEY, and makes none of its own', () => {
  const env = { OPENAI_BASE_URL: 'https://eu.example.com/v1' }
  expect(findWellKnown(env)).toEqual([])
  expect(findWellKnown({ ...env, OPENAI_API_KEY: 'test-key' })).toEqual([
    {
      provider: 'openai',
      kind: 'openai',
      variable: 'OPENAI_API_KEY',
      baseUrl: 'https://eu.example.com/v1',
      baseUrlVariable: 'OPENAI_BASE_URL',
      apiKey: 'test-key',
    },
  ])
})

test.each([
  ['127.0.0.1', 'http://127.0.0.1:11434/v1'],
  ['0.0.0.0', 'http://127.0.0.1:11434/v1'],
  ['0.0.0.0:11500', 'http://127.0.0.1:11500/v1'],
  ['[::]:11434', 'http://127.0.0.1:11434/v1'],
  [':11500', 'http://127.0.0.1:11500/v1'],
  ['box:80', 'http://box/v1'],
  ['http://box', 'http://box/v1'],
  ['http://box:11434/', 'http://box:11434/v1'],
  ['http://box:11434/v1/', 'http://box:11434/v1'],
  ['https://ollama.example.com/team', 'https://ollama.example.com/team/v1'],
  ['not a host', 'not a host'],
])('OLLAMA_HOST=%s is reached at %s', (host, baseUrl) => {
  expect(findWellKnown({ OLLAMA_HOST: host })).toEqual([
    { provider: 'ollama', kind: 'openai', variable: 'OLLAMA_HOST', baseUrl, baseUrlVariable: 'OLLAMA_HOST' },
  ])
})
