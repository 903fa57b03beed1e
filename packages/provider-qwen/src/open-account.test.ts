import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provider, Upstream } from '@millrace/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { qwen } from './index.ts'
import { createScriptedUpstream } from './testing/scripted-upstream.ts'
import { chat, EXPIRED, GOOD, KEYS, keyOf, openTeam, refusal, TIMEOUTS } from './testing/team.ts'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-account-'))
  path = join(folder, 'oauth_creds.json')
})
afterAll(() => rm(folder, { recursive: true }))

/** A sign-in whose token lives for so long. */
const keep = (lifeMs: number): Promise<void> =>
  writeFile(path, JSON.stringify({ access_token: 'at_1', refresh_token: 'rt_1', expiry_date: Date.now() + lifeMs }))

test('an account with an owner serves its owner alone', async () => {
  const upstream = createScriptedUpstream(() => GOOD)
  const provider = openTeam(upstream, { accounts: [{ name: 'hers', apiKey: 'key-of-alice', owner: 'alice' }] })
  expect(await chat(provider, {}, { caller: 'alice' })).toMatchObject({ text: 'Hi', accounts: ['hers'] })
  for (const call of [{ caller: 'bob' }, {}]) {
    expect((await chat(provider, {}, call)).failure).toMatchObject({ code: 'account_not_shared' })
  }
  expect(upstream.asked).toHaveLength(1)
})

test('an account gets as many requests a minute as it is said to take, the next ones go elsewhere', async () => {
  await keep(3_600_000)
  const upstream = createScriptedUpstream(() => GOOD)
  const accounts = [
    { name: 'me', oauth: path, requestsPerMinute: 5 },
    { name: 'key', apiKey: 'sk-1' },
  ]
  const provider = openTeam(upstream, { accounts })
  const served: string[] = []
  for (let asked = 0; asked < 7; asked++) {
    served.push(...(await chat(provider, {}, { session: 'one' })).accounts)
  }
  expect(served.slice(0, 5).every(name => name === 'me')).toBe(true)
  expect(served.slice(5)).toEqual(['key', 'key'])
})

test('a host that breaks down concerns all of its accounts, and no account elsewhere', async () => {
  const upstream = createScriptedUpstream(({ url }) => {
    return url.host.includes('intl') ? refusal(500, 'InternalError', 'sorry') : GOOD
  })
  const [a, b] = KEYS.accounts
  const provider = openTeam(upstream, { accounts: [a, b, { name: 'c', apiKey: 'key-of-c', region: 'beijing' }] })
  expect(await chat(provider)).toEqual({ text: 'Hi', failure: undefined, accounts: ['a', 'c'] })
  expect((await chat(openTeam(upstream, { accounts: [a, b] }))).accounts).toEqual(['a'])
})

test('changes of accounts are told, and so is a renewal that fails while the token still works', async () => {
  await keep(200_000)
  const anHourAgo = Date.now() / 1000 - 3600
  await utimes(path, anHourAgo, anHourAgo)
  const told: unknown[] = []
  const renewal = Promise.withResolvers<string>()
  const upstream: Upstream = createScriptedUpstream(({ url, headers }) => {
    if (url.pathname.endsWith('/token')) return { status: 503, body: { error: 'unavailable' } }
    return keyOf({ headers }) === 'at_1' ? GOOD : EXPIRED
  })
  const settings = qwen.config.parse({ kind: 'qwen', accounts: [{ name: 'me', oauth: path }, KEYS.accounts[0]] })
  const provider: Provider = qwen.open(settings, {
    upstream,
    timeouts: TIMEOUTS,
    onNotice: renewal.resolve,
    onAccountChange: ({ account, to }) => told.push([account, to.state]),
  })
  await chat(provider)
  await expect(chat(provider)).resolves.toMatchObject({ accounts: ['a', 'me'] })
  expect(told).toEqual([['a', 'auth-expired']])
  await expect(renewal.promise).resolves.toMatch(/^The sign-in of me cannot be renewed for now/)
})
