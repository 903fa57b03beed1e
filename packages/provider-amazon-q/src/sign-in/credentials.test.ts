import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { accountsOf, config } from '../config.ts'
import { openCredentials, type Credentials, type Unauthorised } from './credentials.ts'
import { ownLogin } from './testing/logins.ts'
import { grant, inTurn, startSignInServer, type TestServer } from './testing/sign-in-server.ts'

const { signal } = new AbortController()
const REQUEST: Unauthorised = {
  method: 'POST',
  url: new URL('https://q.us-east-1.amazonaws.com/'),
  headers: {},
  body: Buffer.from('{}'),
}
const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 }
const PROFILE = 'arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL'

let folder: string
let path: string
let server: TestServer
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-credentials-'))
  path = join(folder, 'login.json')
  server = await startSignInServer(inTurn(grant(2)))
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function open(account: object): Credentials {
  const settings = config.parse({ kind: 'amazon-q', accounts: [{ name: 'me', ...account }] })
  const { upstream, authUrl } = server
  const deps = { upstream, timeouts: TIMEOUTS }
  return openCredentials(accountsOf(settings)[0]!, { provider: 'team', region: 'us-east-1', authUrl, deps })
}

test.for<[string, object, isKiro: boolean]>([
  ['test-token', { authorization: 'Bearer test-token' }, false],
  ['ksk_test', { authorization: 'Bearer ksk_test', tokentype: 'API_KEY' }, true],
])('the token %s is sent as it is, and not renewed', async ([accessToken, headers, isKiro]) => {
  const credentials = open({ accessToken })
  expect(await credentials.authorise(REQUEST, signal)).toEqual(headers)
  expect(credentials.renew).toBeUndefined()
  expect(await credentials.identity(signal)).toEqual({ isKiro, profileArn: undefined, region: undefined })
  expect(credentials).toMatchObject({ operation: 'GenerateAssistantResponse' })
})

test.for(['login', 'sso'] as const)(
  '`%s` sends the token of its file, and renews it once it is refused',
  async kind => {
    await writeFile(path, JSON.stringify({ ...ownLogin(1, 3_600_000), profileArn: PROFILE }))
    const credentials = open(kind === 'sso' ? { sso: { file: path } } : { login: path })
    const refused = await credentials.authorise(REQUEST, signal)
    expect(refused).toEqual({ authorization: 'Bearer aoa-test-1' })
    expect(await credentials.identity(signal)).toEqual({ isKiro: false, profileArn: PROFILE, region: 'us-east-1' })
    await credentials.renew!(refused, signal)
    expect(await credentials.authorise(REQUEST, signal)).toEqual({ authorization: 'Bearer aoa-test-2' })
    await credentials.renew!(refused, signal)
    expect(server.asked).toHaveLength(1)
  },
)

test.for<[string, members: object, isKiro: boolean]>([
  ["Kiro's file", { madeBy: undefined }, true],
  ['a copy of a login with Google or GitHub', { authMethod: 'social' }, true],
  ['a copy of a login of Kiro', { isKiro: true }, true],
  ["a sign-in of the gateway's own", {}, false],
])('%s tells whether it is for Kiro', async ([, members, isKiro]) => {
  await writeFile(path, JSON.stringify({ ...ownLogin(1, 3_600_000), ...members }))
  expect(await open({ login: path }).identity(signal)).toMatchObject({ isKiro })
})

test('the token of a company is sent as such', async () => {
  await writeFile(path, JSON.stringify({ ...ownLogin(1, 3_600_000), authMethod: 'external_idp' }))
  expect(await open({ login: path }).authorise(REQUEST, signal)).toEqual({
    authorization: 'Bearer aoa-test-1',
    tokentype: 'EXTERNAL_IDP',
  })
})

test('a login that is not there says which command makes one', async () => {
  const failed = open({ sso: { file: path } }).authorise(REQUEST, signal)
  await expect(failed).rejects.toMatchObject({
    code: 'upstream_auth_failed',
    message: expect.stringContaining('`millrace login team --name me`') as unknown,
  })
})

test('credentials of which one is another have another fingerprint', () => {
  const key = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' }
  const accounts = [
    { accessToken: 'test-1' },
    { accessToken: 'test-2' },
    { login: path },
    { sso: { file: `${path}2` } },
    { aws: true },
    { aws: key },
    { aws: { ...key, secretAccessKey: 'test-other' } },
  ]
  const fingerprints = accounts.map(account => open(account).fingerprint)
  expect(new Set(fingerprints).size).toBe(accounts.length)
  expect(fingerprints).toEqual(accounts.map(account => open(account).fingerprint))
})
