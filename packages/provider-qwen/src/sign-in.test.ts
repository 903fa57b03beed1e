import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provider, Upstream } from '@millrace/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createScriptedUpstream, type ScriptedUpstream } from './testing/scripted-upstream.ts'
import { chat, EXPIRED, GOOD, keyOf, openTeam } from './testing/team.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-sign-in-'))
  path = join(folder, 'oauth_creds.json')
  await keep({})
})
afterEach(() => rm(folder, { recursive: true }))

const keep = (members: object): Promise<void> =>
  writeFile(
    path,
    JSON.stringify({
      access_token: 'at_1',
      refresh_token: 'rt_1',
      token_type: 'Bearer',
      resource_url: 'portal.qwen.ai',
      expiry_date: Date.now() + 3_600_000,
      ...members,
    }),
  )

/** The portal, for which these tokens are good, and the sign-in server, which gives `at_2`. */
function portal(...good: readonly string[]): ScriptedUpstream {
  return createScriptedUpstream(({ url, headers }) => {
    if (url.pathname.endsWith('/token'))
      return { body: { access_token: 'at_2', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt_2' } }
    return good.includes(keyOf({ headers })) ? GOOD : EXPIRED
  })
}
const signedIn = (upstream: Upstream, more: object = {}): Provider =>
  openTeam(upstream, { accounts: [{ name: 'me', oauth: path, ...more }] })
const pathsOf = (upstream: ScriptedUpstream): string[] => upstream.asked.map(({ url }) => `${url.host}${url.pathname}`)

test('a sign-in goes to the server that it names, in the way of the portal', async () => {
  const upstream = portal('at_1')
  expect(await chat(signedIn(upstream))).toMatchObject({ text: 'Hi', accounts: ['me'] })
  expect(pathsOf(upstream)).toEqual(['portal.qwen.ai/v1/chat/completions'])
  expect(upstream.asked[0]?.headers).toMatchObject({
    authorization: 'Bearer at_1',
    'x-dashscope-authtype': 'qwen-oauth',
  })
  expect(JSON.parse(upstream.asked[0]!.body!.toString())).toMatchObject({
    messages: [{ role: 'system' }, { role: 'user' }],
  })
})

test('a sign-in whose token is refused has it renewed, and the request repeated', async () => {
  const upstream = portal('at_2')
  const provider = signedIn(upstream, { authUrl: 'http://localhost:1' })
  expect(await chat(provider)).toEqual({ text: 'Hi', failure: undefined, accounts: ['me'] })
  expect(pathsOf(upstream)).toEqual([
    'portal.qwen.ai/v1/chat/completions',
    'localhost:1/api/v1/oauth2/token',
    'portal.qwen.ai/v1/chat/completions',
  ])
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ access_token: 'at_2', refresh_token: 'rt_2' })
  expect(provider.accounts?.list()).toMatchObject([{ state: { state: 'ok' } }])
})

test('a sign-in whose fresh token is refused as well is left out, with a word on why', async () => {
  const upstream = portal()
  const provider = signedIn(upstream)
  const { failure } = await chat(provider)
  expect(failure).toMatchObject({ code: 'upstream_auth_failed' })
  expect((failure as Error).message).toMatch(/ended on 2026-04-15.*API key/)
  expect(upstream.asked).toHaveLength(3)
  expect(provider.accounts?.list()).toMatchObject([{ state: { state: 'auth-expired' } }])
  expect(provider.accounts?.list()[0]?.state.until).toBeUndefined()
  expect((await chat(provider)).failure).toMatchObject({ code: 'upstream_auth_failed' })
  expect(upstream.asked).toHaveLength(3)
})

test('a sign-in is tried again after a new sign-in', async () => {
  const upstream = portal('at_9')
  const provider = signedIn(upstream)
  await chat(provider)
  await keep({ access_token: 'at_9' })
  expect(await chat(provider)).toMatchObject({ text: 'Hi' })
})

test('a sign-in that names a foreign server gives its token to nobody', async () => {
  await keep({ resource_url: 'https://example.com' })
  const upstream = portal('at_1')
  expect(((await chat(signedIn(upstream))).failure as Error).message).toContain('set `baseUrl`')
  expect(upstream.asked).toEqual([])
  expect(await chat(signedIn(upstream, { baseUrl: 'http://localhost:1/v1' }))).toMatchObject({ text: 'Hi' })
})

test('a sign-in of an old name for a model sends the new one', async () => {
  const upstream = portal('at_1')
  await chat(signedIn(upstream), {}, { model: 'qwen3.6-plus' })
  expect(JSON.parse(upstream.asked[0]!.body!.toString())).toMatchObject({ model: 'coder-model' })
})

test('a sign-in and a key make up for each other', async () => {
  const upstream = createScriptedUpstream(({ url, headers }) => {
    if (url.pathname.endsWith('/token')) return { status: 400, body: { error: 'invalid_request' } }
    return keyOf({ headers }) === 'sk-1' ? GOOD : EXPIRED
  })
  const provider = openTeam(upstream, {
    accounts: [
      { name: 'me', oauth: path },
      { name: 'key', apiKey: 'sk-1' },
    ],
  })
  expect(await chat(provider)).toEqual({ text: 'Hi', failure: undefined, accounts: ['me', 'key'] })
  expect(provider.accounts?.list()[0]?.state.reason).toContain('millrace login team --name me')
  const bodies = upstream.asked
    .filter(({ url }) => url.pathname.endsWith('completions'))
    .map(({ body }) => JSON.parse(body!.toString()) as { messages: unknown[] })
  expect(bodies.map(({ messages }) => messages.length)).toEqual([2, 1])
})

test('a sign-in lists what the portal is known to have, without asking', async () => {
  const upstream = portal()
  const models = await signedIn(upstream).models(new AbortController().signal)
  expect(models.map(({ id }) => id)).toContain('coder-model')
  expect(upstream.asked).toEqual([])
})
