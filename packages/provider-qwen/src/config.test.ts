import { expect, test } from 'vitest'
import { accountsOf, config, mistakesIn } from './config.ts'

const parse = (settings: object) => config.parse({ kind: 'qwen', ...settings })

test.for<[name: string, settings: object, accounts: readonly object[]]>([
  [
    'a single key',
    { apiKey: 'sk-a' },
    [{ name: 'default', apiKey: 'sk-a', plan: 'payg', region: 'singapore', baseUrl: undefined }],
  ],
  [
    'a single key with all there is to say',
    { apiKey: 'sk-a', plan: 'token', region: 'beijing', baseUrl: 'http://localhost:1/v1' },
    [{ name: 'default', apiKey: 'sk-a', plan: 'token', region: 'beijing', baseUrl: 'http://localhost:1/v1' }],
  ],
  [
    'keys of two plans',
    {
      region: 'beijing',
      accounts: [
        { name: 'a', apiKey: 'sk-sp-a' },
        { name: 'b', apiKey: 'sk-b', region: 'us' },
      ],
    },
    [
      { name: 'a', apiKey: 'sk-sp-a', plan: 'coding', region: 'beijing', baseUrl: undefined },
      { name: 'b', apiKey: 'sk-b', plan: 'payg', region: 'us', baseUrl: undefined },
    ],
  ],
  [
    'sign-ins',
    {
      authUrl: 'http://localhost:2',
      accounts: [
        { name: 'a', oauth: 'a.json' },
        { name: 'b', oauth: 'b.json', baseUrl: 'http://localhost:3/v1', authUrl: 'http://localhost:4' },
      ],
    },
    [
      { name: 'a', oauth: 'a.json', baseUrl: undefined, authUrl: 'http://localhost:2' },
      { name: 'b', oauth: 'b.json', baseUrl: 'http://localhost:3/v1', authUrl: 'http://localhost:4' },
    ],
  ],
])('%s', ([, settings, accounts]) => {
  expect(mistakesIn(parse(settings))).toEqual([])
  expect(accountsOf(parse(settings))).toEqual(accounts)
})

test.for<[name: string, settings: object, paths: readonly string[]]>([
  ['nothing', {}, ['apiKey']],
  ['an empty key', { apiKey: '' }, ['apiKey']],
  ['a key beside accounts', { apiKey: 'sk-a', accounts: [{ name: 'a', apiKey: 'sk-b' }] }, ['apiKey']],
  ['a plan where it is not', { apiKey: 'sk-sp-a', region: 'us' }, ['region']],
  ['a plan where it is not, said twice', { apiKey: 'sk-a', plan: 'token', region: 'hongkong' }, ['region']],
  [
    'accounts of one name',
    {
      accounts: [
        { name: 'a', apiKey: 'sk-a' },
        { name: 'a', apiKey: 'sk-b' },
      ],
    },
    ['accounts.1.name'],
  ],
  ['an account with nothing to show', { accounts: [{ name: 'a' }] }, ['accounts.0']],
  ['a sign-in with a key', { accounts: [{ name: 'a', oauth: 'a.json', apiKey: 'sk-a' }] }, ['accounts.0.apiKey']],
  [
    'a sign-in with a plan in a region',
    { accounts: [{ name: 'a', oauth: 'a.json', plan: 'coding', region: 'us' }] },
    ['accounts.0.region', 'accounts.0.plan'],
  ],
  [
    'an account whose plan is not in its region',
    { region: 'us', accounts: [{ name: 'a', apiKey: 'sk-a', plan: 'coding' }] },
    ['accounts.0.region'],
  ],
])('%s is a mistake', ([, settings, paths]) => {
  expect(mistakesIn(parse(settings)).map(({ path }) => path.join('.'))).toEqual(paths)
})

test.for<[name: string, settings: object]>([
  ['an unknown region', { apiKey: 'a', region: 'paris' }],
  ['an unknown plan', { apiKey: 'a', plan: 'free' }],
  ['an unknown member', { apiKey: 'a', accounts: [{ name: 'a', key: 'a' }] }],
  ['a name that no command line can hold', { accounts: [{ name: '-a b', apiKey: 'a' }] }],
  ['no accounts', { accounts: [] }],
])('%s is refused', ([, settings]) => {
  expect(() => parse(settings)).toThrow('')
})
