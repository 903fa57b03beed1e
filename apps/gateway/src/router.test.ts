import type { Provider } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { createRouter, type Route } from './router.ts'

const provider: Provider = {
  chat: () => {
    throw new Error('Nobody chats here.')
  },
  models: async () => [],
}

function toRoute(name: string, more: Partial<Route> = {}): Route {
  return { name, provider, streaming: true, defaultModel: undefined, models: undefined, ...more }
}

const ROUTES = [
  toRoute('local', { defaultModel: 'llama3' }),
  toRoute('cloud', { models: ['large', 'small'] }),
  toRoute('bare'),
]

describe('a model with its provider in front', () => {
  const router = createRouter(ROUTES, undefined)

  test.each([
    ['local/llama3', 'local', 'llama3'],
    ['cloud/other', 'cloud', 'other'],
    ['cloud/org/model:free', 'cloud', 'org/model:free'],
    ['cloud//odd', 'cloud', '/odd'],
    ['local', 'local', 'llama3'],
    ['local/', 'local', 'llama3'],
  ])('%s', (name, expected, model) => {
    const { route, model: resolved } = router.resolve(name)
    expect([route.name, resolved]).toEqual([expected, model])
  })

  test.each(['nobody/model', 'nobody', '/model', '', 'LOCAL/llama3', ' local/llama3', 'constructor', '__proto__/x'])(
    'nobody answers for %j',
    name => {
      expect(() => router.resolve(name)).toThrow(expect.objectContaining({ code: 'model_not_found', param: 'model' }))
    },
  )

  test('the refusal shows how names are made', () => {
    expect(() => router.resolve('nobody')).toThrow('local/llama3, cloud/large, bare/…')
    expect(() => router.resolve('bare')).toThrow('The provider "bare" has no default model: name one, as in bare/….')
    expect(() => router.resolve('cloud/')).toThrow('cloud/large')
  })

  test('the refusal does not repeat all of a long name', () => {
    const name = 'm'.repeat(5000)
    expect(() => router.resolve(name)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('m'.repeat(201)) }),
    )
  })
})

describe('with a default provider', () => {
  const router = createRouter(ROUTES, 'cloud')

  test.each([
    ['gpt-x', 'cloud', 'gpt-x'],
    ['org/model', 'cloud', 'org/model'],
    ['local/llama3', 'local', 'llama3'],
    ['local', 'local', 'llama3'],
  ])('%s', (name, expected, model) => {
    const { route, model: resolved } = router.resolve(name)
    expect([route.name, resolved]).toEqual([expected, model])
  })

  test('a name that is a provider is never a model of the default one', () => {
    expect(() => router.resolve('bare')).toThrow(expect.objectContaining({ code: 'model_not_found' }))
  })
})

describe('with aliases', () => {
  const aliases = new Map([
    ['claude-sonnet-5', 'cloud/large'],
    ['claude-haiku-5', 'local'],
    ['best', 'claude-sonnet-5'],
    ['cloud', 'local/llama3'],
  ])
  const router = createRouter(ROUTES, undefined, aliases)

  test.each([
    ['claude-sonnet-5', 'cloud', 'large'],
    ['claude-haiku-5', 'local', 'llama3'],
    ['best', 'cloud', 'large'],
    ['cloud', 'local', 'llama3'],
    ['cloud/small', 'cloud', 'small'],
  ])('%s', (name, expected, model) => {
    const { route, model: resolved } = router.resolve(name)
    expect([route.name, resolved]).toEqual([expected, model])
  })

  test('they are listed with what they stand for', () => {
    expect(router.aliases).toEqual([
      { id: 'claude-sonnet-5', provider: 'cloud', aliasOf: 'cloud/large' },
      { id: 'claude-haiku-5', provider: 'local', aliasOf: 'local' },
      { id: 'best', provider: 'cloud', aliasOf: 'cloud/large' },
      { id: 'cloud', provider: 'local', aliasOf: 'local/llama3' },
    ])
  })
})
