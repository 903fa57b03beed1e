import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readDatabase } from './database.ts'
import { amazonQLogin, cliRegistration, cliToken, writeDatabase } from './testing/logins.ts'

const PROFILE = 'arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEFGHIJKL'
const HOUR_MS = 3_600_000

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-database-'))
  path = join(folder, 'data.sqlite3')
})
afterEach(() => rm(folder, { recursive: true }))

test("the login of Amazon Q's command line, with its registration and its profile", async () => {
  const token = {
    ...cliToken(1),
    expires_at: '2025-06-15T16:06:40.123456789Z',
    start_url: 'https://d-1.awsapps.com/start',
  }
  const state = { 'api.codewhisperer.profile': { arn: PROFILE, profile_name: 'Team' } }
  writeDatabase(path, { ...amazonQLogin(1), 'codewhisperer:odic:token': token }, state)
  const before = await readFile(path)
  expect(await readDatabase(path)).toMatchObject({
    accessToken: 'aoa-test-1',
    refreshToken: 'aor-test-1',
    expiresAt: Date.UTC(2025, 5, 15, 16, 6, 40, 123),
    method: 'IdC',
    isKiro: false,
    region: 'us-east-1',
    startUrl: 'https://d-1.awsapps.com/start',
    profileArn: PROFILE,
    registration: { clientId: 'client-test', clientSecret: 'secret-test' },
  })
  expect(await readFile(path)).toEqual(before)
})

test.for(['kirocli:odic:token', 'kirocli:oidc:token'])('the login of Kiro at %s', async key => {
  writeDatabase(path, { [key]: cliToken(1), 'kirocli:odic:device-registration': cliRegistration() })
  expect(await readDatabase(path)).toMatchObject({
    method: 'IdC',
    isKiro: true,
    registration: { clientId: 'client-test' },
  })
})

test('a social login of Kiro, whose row names its profile and no region', async () => {
  const { region: _region, ...token } = cliToken(1)
  writeDatabase(path, { 'kirocli:social:token': { ...token, provider: 'google', profile_arn: PROFILE } })
  const login = await readDatabase(path)
  expect(login).toMatchObject({ method: 'social', region: 'us-east-1', profileArn: PROFILE, registration: undefined })
})

test('a login of Kiro with a company', async () => {
  const token = { ...cliToken(1), client_id: 'client-test', token_endpoint: 'https://login.example/token' }
  writeDatabase(path, { 'kirocli:external-idp:token': token })
  expect(await readDatabase(path)).toMatchObject({
    method: 'external_idp',
    issuer: { tokenEndpoint: 'https://login.example/token', clientId: 'client-test' },
  })
})

test('of several logins the one that lasts longest', async () => {
  writeDatabase(path, { 'kirocli:odic:token': cliToken(1), 'kirocli:social:token': cliToken(2, HOUR_MS) })
  expect(await readDatabase(path)).toMatchObject({ accessToken: 'aoa-test-2', method: 'social' })
})

test('a registration of another region is none', async () => {
  const registration = { ...cliRegistration(), region: 'eu-west-1' }
  writeDatabase(path, { ...amazonQLogin(1), 'codewhisperer:odic:device-registration': registration })
  expect(await readDatabase(path)).toMatchObject({ region: 'us-east-1', registration: undefined })
})

test.for<[string, object]>([
  ['no row', {}],
  ['a row that is no token', { 'codewhisperer:odic:token': 'gone' }],
])('a database with %s holds no login', async ([, logins]) => {
  writeDatabase(path, { ...logins })
  await expect(readDatabase(path)).rejects.toThrow('holds no login')
})

test('a database that is broken holds none, either', async () => {
  await writeFile(path, `SQLite format 3\0${'x'.repeat(5000)}`)
  await expect(readDatabase(path)).rejects.toThrow('not a database')
})
