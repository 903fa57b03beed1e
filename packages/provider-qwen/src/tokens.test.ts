import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formOf, inTurn, type Answer, type ScriptedUpstream } from './testing/scripted-upstream.ts'
import { createTokens } from './tokens.ts'

const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 }
const DEAD = {
  access_token: 'at_1',
  refresh_token: 'rt_1',
  token_type: 'Bearer',
  resource_url: 'portal.qwen.ai',
  expiry_date: 1000,
  id_token: 'kept',
}
const PAGE = '<html>captcha</html>'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-tokens-'))
  path = join(folder, 'oauth_creds.json')
  await writeFile(path, JSON.stringify(DEAD))
})
afterEach(() => rm(folder, { recursive: true }))

const tokensOf = (upstream: ScriptedUpstream) =>
  createTokens({ name: 'a', path, command: 'millrace login qwen --name a', upstream, timeouts: TIMEOUTS })

test('an expired token is renewed once, and the file keeps what the answer leaves out', async () => {
  const upstream = inTurn({
    body: { access_token: 'at_2', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt_2' },
  })
  const tokens = tokensOf(upstream)
  const got = await Promise.all([tokens.get(), tokens.get(), tokens.get()])
  expect(got.map(({ accessToken }) => accessToken)).toEqual(['at_2', 'at_2', 'at_2'])
  expect(upstream.asked).toHaveLength(1)
  expect(upstream.asked[0]).toMatchObject({ confidential: true })
  expect(formOf(upstream.asked[0]!)).toEqual({
    grant_type: 'refresh_token',
    refresh_token: 'rt_1',
    client_id: 'f0304373b74a44d2b584a3fb70ca9e56',
  })
  const file = JSON.parse(await readFile(path, 'utf8')) as typeof DEAD
  expect(file).toMatchObject({
    access_token: 'at_2',
    refresh_token: 'rt_2',
    resource_url: 'portal.qwen.ai',
    id_token: 'kept',
  })
  expect(file.expiry_date).toBeGreaterThan(Date.now())
})

describe('a refresh that fails', () => {
  test.for<[string, Answer]>([
    ['is refused', { status: 400, body: { error: 'invalid_request', error_description: 'Invalid refresh token' } }],
    ['is refused with 401', { status: 401, body: '' }],
    ['is refused with 200', { body: { error: 'invalid_grant' } }],
  ])('as it %s, says what mends it', async ([, answer]) => {
    const failed = Promise.resolve(tokensOf(inTurn(answer)).get())
    await expect(failed).rejects.toMatchObject({ code: 'upstream_auth_failed', verdict: { state: 'auth-expired' } })
    await expect(failed).rejects.toThrow('sign in again with `millrace login qwen --name a`')
  })

  test.for<[string, Answer]>([
    ['a page', { body: PAGE }],
    ['a page with status 403', { status: 403, body: PAGE }],
    ['a page with status 400', { status: 400, body: PAGE }],
    ['nothing', { body: '' }],
    ['a rate limit', { status: 429, body: { error: 'too_many' } }],
    ['a fault of the server', { status: 502, body: 'x' }],
    ['no token', { body: { access_token: null } }],
  ])('with %s, passes', async ([, answer]) => {
    const failed = Promise.resolve(tokensOf(inTurn(answer)).get())
    await expect(failed).rejects.toThrow('cannot be renewed for now')
    await expect(failed).rejects.not.toThrow(/</)
  })

  test('for lack of a refresh token asks nobody', async () => {
    await writeFile(path, JSON.stringify({ ...DEAD, refresh_token: undefined }))
    const upstream = inTurn({ body: {} })
    await expect(Promise.resolve(tokensOf(upstream).get())).rejects.toThrow('has no refresh token')
    expect(upstream.asked).toEqual([])
  })
})
