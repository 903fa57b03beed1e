import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RefreshRefused } from '@millrace/accounts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseLogin, type LoginCredential } from './login-credential.ts'
import { renewLogin } from './renew-login.ts'
import { ownLogin } from './testing/logins.ts'
import { grant, inTurn, refusal, startSignInServer, type Answer, type Script } from './testing/sign-in-server.ts'

const { signal } = new AbortController()
const PAGE = '<html>aor-test-1</html>'
const SECRETS = /aoa-test|aor-test|secret-test/

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-renew-'))
  path = join(folder, 'login.json')
})
afterEach(() => rm(folder, { recursive: true }))

/** What comes of the renewal of such a login by a server that answers like this. */
async function renew(script: Script, members: object = {}) {
  await using server = await startSignInServer(script)
  const credential = parseLogin({ ...ownLogin(1), ...members })
  const outcome = await renewLogin(server, credential, { path, signal }).catch((error: unknown) => error as Error)
  return { outcome, asked: server.asked }
}

const messageOf = (outcome: LoginCredential | Error): string => (outcome instanceof Error ? outcome.message : '')

describe('a login with AWS', () => {
  test('is renewed by its own client, once', async () => {
    const { outcome, asked } = await renew(inTurn(grant(2)))
    expect(outcome).toMatchObject({ accessToken: 'aoa-test-2', refreshToken: 'aor-test-2', method: 'IdC' })
    expect((outcome as LoginCredential).expiresAt).toBeGreaterThan(Date.now() + 3_500_000)
    expect(asked).toMatchObject([{ path: '/token' }])
    expect(asked[0]?.json).toEqual({
      clientId: 'client-test',
      clientSecret: 'secret-test',
      grantType: 'refresh_token',
      refreshToken: 'aor-test-1',
    })
  })

  test('keeps the refresh token where the answer has none', async () => {
    const { outcome } = await renew(inTurn({ body: { accessToken: 'aoa-test-2', expiresIn: 3600 } }))
    expect(outcome).toMatchObject({ accessToken: 'aoa-test-2', refreshToken: 'aor-test-1' })
  })

  test.for<[string, Answer]>([
    ['invalid_grant', refusal('invalid_grant', 400, 'Invalid refresh token provided: aor-test-1')],
    ['invalid_client', refusal('invalid_client', 401, 'secret-test is not known')],
    ['access_denied', refusal('access_denied')],
    ['expired_token', refusal('expired_token')],
    ['refresh_token_reused', refusal('refresh_token_reused')],
    ['revoked_token', { status: 400, body: { error: 'revoked_token' } }],
  ])('is over with %s', async ([code, answer]) => {
    const { outcome, asked } = await renew(inTurn(answer))
    expect(outcome).toBeInstanceOf(RefreshRefused)
    expect(messageOf(outcome)).toContain(code)
    expect(messageOf(outcome)).not.toMatch(SECRETS)
    expect(asked).toHaveLength(1)
  })

  test.for<[string, Answer]>([
    ['slow_down', refusal('slow_down')],
    ['a fault of the server', refusal('server_error', 500)],
    ['a limit', { status: 429, body: { message: 'Too many' } }],
    ['a page', { status: 400, body: PAGE }],
    ['a page with status 200', { body: PAGE }],
    ['nothing', { body: '' }],
    ['no token', { body: { accessToken: null } }],
    ['another address', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }],
  ])('outlasts %s', async ([, answer]) => {
    const { outcome, asked } = await renew(inTurn(answer))
    expect(outcome).toBeInstanceOf(Error)
    expect(outcome).not.toBeInstanceOf(RefreshRefused)
    expect(messageOf(outcome)).not.toMatch(SECRETS)
    expect(asked).toHaveLength(1)
  })

  test.for<[string, object, RegExp]>([
    ['its registration has expired', { clientSecretExpiresAt: new Date(Date.now() + 50_000).toISOString() }, /expired/],
    ['it has no registration', { clientSecret: undefined }, /registration is not there/],
    ['it has no refresh token', { refreshToken: undefined }, /no refresh token/],
    ['its registration is to be elsewhere', { clientSecret: undefined, clientIdHash: '../login' }, /registration/],
  ])('is over without a question where %s', async ([, members, words]) => {
    const { outcome, asked } = await renew(inTurn(grant(2)), members)
    expect(outcome).toBeInstanceOf(RefreshRefused)
    expect(messageOf(outcome)).toMatch(words)
    expect(asked).toEqual([])
  })

  test('of Kiro has its registration in the file beside', async () => {
    const registration = { clientId: 'client-kiro', clientSecret: 'secret-test', expiresAt: '2099-01-01T00:00:00Z' }
    await writeFile(join(folder, 'abc123.json'), JSON.stringify(registration))
    const members = { clientId: undefined, clientSecret: undefined, clientIdHash: 'abc123' }
    const { asked } = await renew(inTurn(grant(2)), members)
    expect(asked[0]?.json).toMatchObject({ clientId: 'client-kiro', clientSecret: 'secret-test' })
  })
})

describe('a social login', () => {
  const SOCIAL = { authMethod: 'social', clientId: undefined }
  const PROFILE = 'arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL'

  test('is renewed by the server of Kiro, which names its profile', async () => {
    const answer = { accessToken: 'aoa-test-2', refreshToken: 'aor-test-2', expiresIn: 3600, profileArn: PROFILE }
    const { outcome, asked } = await renew(inTurn({ body: answer }), SOCIAL)
    expect(outcome).toMatchObject({ accessToken: 'aoa-test-2', refreshToken: 'aor-test-2', profileArn: PROFILE })
    expect(asked).toMatchObject([{ path: '/refreshToken', body: '{"refreshToken":"aor-test-1"}' }])
  })

  test('is over when that refuses, without a word of its token', async () => {
    const { outcome } = await renew(inTurn({ status: 401, body: { message: 'Bad token aor-test-1' } }), SOCIAL)
    expect(outcome).toBeInstanceOf(RefreshRefused)
    expect(messageOf(outcome)).toBe('Bad token [masked]')
  })

  test.for([500, 403, 429])('outlasts status %d', async status => {
    const { outcome } = await renew(inTurn({ status, body: {} }), SOCIAL)
    expect(outcome).not.toBeInstanceOf(RefreshRefused)
    expect(messageOf(outcome)).toContain(String(status))
  })

  test('outlasts a page', async () => {
    const { outcome } = await renew(inTurn({ status: 400, body: PAGE }), SOCIAL)
    expect(outcome).not.toBeInstanceOf(RefreshRefused)
    expect(messageOf(outcome)).not.toMatch(SECRETS)
  })
})

describe('a login with a company', () => {
  test('is renewed by the company', async () => {
    const answer = { body: { access_token: 'aoa-test-2', expires_in: 600 } }
    await using company = await startSignInServer(inTurn(answer))
    const members = {
      authMethod: 'external_idp',
      clientSecret: undefined,
      tokenEndpoint: `${company.authUrl}/oauth/token`,
      scopes: ['openid', 'offline_access'],
    }
    const { outcome, asked } = await renew(inTurn(grant(9)), members)
    expect(outcome).toMatchObject({ accessToken: 'aoa-test-2', refreshToken: 'aor-test-1' })
    expect(asked).toEqual([])
    expect(company.asked[0]?.path).toBe('/oauth/token')
    expect(Object.fromEntries(new URLSearchParams(company.asked[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'client-test',
      refresh_token: 'aor-test-1',
      scope: 'openid offline_access',
    })
  })

  test('is over where it does not say whose', async () => {
    const { outcome } = await renew(inTurn(grant(2)), { authMethod: 'external_idp' })
    expect(outcome).toBeInstanceOf(RefreshRefused)
  })
})
