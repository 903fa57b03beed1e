import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LoginError, type PendingLogin } from '@millrace/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { config } from '../config.ts'
import { signIn } from './sign-in.ts'
import { amazonQLogin, ownLogin, writeDatabase } from './testing/logins.ts'
import {
  grant,
  refusal,
  startSignInServer,
  type Answer,
  type Script,
  type TestServer,
} from './testing/sign-in-server.ts'

const { signal } = new AbortController()
const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 }
const VERIFICATION = 'https://view.awsapps.com/start/#/device?user_code=ABCD-EFGH'

let folder: string
let path: string
let server: TestServer
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-sign-in-'))
  path = join(folder, 'sign-ins', 'me.json')
  server = await startSignInServer(approved)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** A server at which each sign-in is approved by the first poll. */
const approved: Script = ({ path }) => {
  if (path === '/token') return grant(1)
  if (path === '/client/register') return { body: { clientId: 'client-new', clientSecret: 'secret-new' } }
  return {
    body: {
      deviceCode: 'device-test',
      userCode: 'ABCD-EFGH',
      verificationUri: 'https://view.awsapps.com/start/#/device',
      verificationUriComplete: VERIFICATION,
      expiresIn: 600,
      // As short as the server can say, so that the test need not wait for the first poll.
      interval: 0.001,
    },
  }
}

const settingsOf = (accounts?: readonly object[]) =>
  config.parse({
    kind: 'amazon-q',
    authUrl: server.authUrl,
    endpoint: server.authUrl,
    ...(accounts === undefined ? undefined : { accounts }),
  })

function start(options: Record<string, string> = {}, accounts?: readonly object[]): Promise<PendingLogin | undefined> {
  const request = { name: 'me', path, options }
  return signIn.start(settingsOf(accounts), request, { upstream: server.upstream, timeouts: TIMEOUTS }, signal)
}

/** An Identity Center that lists these profiles, or answers like this when it is asked for them. */
async function organisation(profiles: readonly string[] | Answer, options: Record<string, string> = {}) {
  const listed = 'body' in profiles ? profiles : { body: { profiles: profiles.map(arn => ({ arn })) } }
  await using service = await startSignInServer(() => listed)
  const notices: string[] = []
  const deps = { upstream: server.upstream, timeouts: TIMEOUTS, onNotice: (words: string) => void notices.push(words) }
  const request = { name: 'me', path, options: { 'start-url': 'https://d-1.awsapps.com/start', ...options } }
  const pending = await signIn.start({ ...settingsOf(), endpoint: service.authUrl }, request, deps, signal)
  await pending!.finish(signal)
  return { profileArn: (await read())['profileArn'], notices, asked: service.asked }
}

const read = async (): Promise<Record<string, unknown>> => JSON.parse(await readFile(path, 'utf8'))
const askedFor = (path: string): unknown => server.asked.find(asked => asked.path === path)?.json

test('the file of an account is the one in the configuration', () => {
  const settings = settingsOf([
    { name: 'sso', sso: { file: '~/a.json' } },
    { name: 'login', login: '~/b.json' },
    { name: 'token', accessToken: 'test-token' },
  ])
  expect(['sso', 'login', 'token', 'other'].map(name => signIn.fileOf(settings, name))).toEqual([
    '~/a.json',
    '~/b.json',
    undefined,
    undefined,
  ])
  const account = signIn.toAccount('me', path)
  expect(signIn.fileOf(settingsOf([account]), 'me')).toBe(path)
})

describe('a sign-in', () => {
  test('shows where to approve it, and then is in the file, for the owner only', async () => {
    const pending = await start()
    expect(pending).toMatchObject({ url: VERIFICATION, userCode: 'ABCD-EFGH' })
    expect(pending!.expiresAt).toBeGreaterThan(Date.now() + 590_000)
    await pending!.finish(signal)
    expect(await read()).toMatchObject({
      accessToken: 'aoa-test-1',
      refreshToken: 'aor-test-1',
      region: 'us-east-1',
      startUrl: 'https://view.awsapps.com/start',
      clientId: 'client-new',
    })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(askedFor('/device_authorization')).toMatchObject({ startUrl: 'https://view.awsapps.com/start' })
  })

  test('is at the place that the command line names, else at that of the configuration, else at the last one', async () => {
    const accounts = [{ name: 'me', sso: { startUrl: 'https://d-2.awsapps.com/start', file: path } }]
    await (await start({ 'start-url': 'https://d-1.awsapps.com/start', region: 'eu-west-1' }, accounts))!.finish(signal)
    expect(await read()).toMatchObject({ startUrl: 'https://d-1.awsapps.com/start', region: 'eu-west-1' })
    await (await start())!.finish(signal)
    expect(await read()).toMatchObject({ startUrl: 'https://d-1.awsapps.com/start', region: 'eu-west-1' })
    await (await start({}, accounts))!.finish(signal)
    expect(await read()).toMatchObject({ startUrl: 'https://d-2.awsapps.com/start', region: 'eu-west-1' })
    expect(server.asked.filter(({ path }) => path === '/client/register')).toHaveLength(1)
  })

  test.for<[string, string]>([
    ['start-url', 'd-1.awsapps.com/start'],
    ['region', 'evil.example/'],
  ])('is not begun with `--%s %s`', async ([name, value]) => {
    await expect(start({ [name]: value })).rejects.toThrow(LoginError)
    expect(server.asked).toEqual([])
  })

  test('with a profile that is none is not begun', async () => {
    await expect(start({ 'profile-arn': 'arn:aws:iam::1:user/me' })).rejects.toThrow(LoginError)
    expect(server.asked).toEqual([])
  })

  test('does not take the place of the login of another program', async () => {
    path = join(folder, 'data.sqlite3')
    writeDatabase(path, amazonQLogin(5))
    const before = await readFile(path)
    await expect(start()).rejects.toThrow('belongs to another program')
    expect(await readFile(path)).toEqual(before)
    path = join(folder, 'kiro-auth-token.json')
    await writeFile(path, JSON.stringify({ ...ownLogin(5), madeBy: undefined }))
    await expect(start()).rejects.toThrow(LoginError)
  })

  test('that cannot be kept says so', async () => {
    await writeFile(join(folder, 'sign-ins'), '')
    await expect(start()).rejects.toThrow(LoginError)
  })

  test('that comes to nothing leaves the file as it was', async () => {
    await using refusing = await startSignInServer((asked, before) =>
      asked.path === '/token' ? refusal('access_denied') : (approved(asked, before) as object & { body: unknown }),
    )
    path = join(folder, 'me.json')
    const before = ownLogin(1)
    await writeFile(path, JSON.stringify(before))
    const request = { name: 'me', path, options: {} }
    const settings = { ...settingsOf(), authUrl: refusing.authUrl }
    const pending = await signIn.start(settings, request, { upstream: refusing.upstream, timeouts: TIMEOUTS }, signal)
    await expect(pending!.finish(signal)).rejects.toThrow('was refused')
    expect(await read()).toEqual(before)
  })
})

describe('a sign-in with an Identity Center', () => {
  const [east, other, west, europe] = ['us-east-1', 'us-east-1', 'us-west-2', 'eu-central-1'].map(
    (region, at) => `arn:aws:codewhisperer:${region}:123456789012:profile/TEST${at}`,
  ) as [string, string, string, string]

  test('has the only profile, and nothing to say', async () => {
    const { profileArn, notices, asked } = await organisation([west])
    expect({ profileArn, notices }).toEqual({ profileArn: west, notices: [] })
    expect(asked.map(({ headers, json }) => [headers['x-amz-target'], headers['authorization'], json])).toEqual([
      ['AmazonCodeWhispererService.ListAvailableProfiles', 'Bearer aoa-test-1', { maxResults: 10 }],
    ])
  })

  test('has the first profile of the region, and tells of all others', async () => {
    const { profileArn, notices } = await organisation([west, europe, east, other])
    expect(profileArn).toBe(east)
    expect(notices).toEqual([expect.stringContaining(`${east} is used`)])
    for (const arn of [west, europe, other]) expect(notices[0]).toContain(arn)
    expect(await organisation([east, europe], { region: 'eu-west-1' })).toMatchObject({ profileArn: europe })
  })

  test('has the profile that is asked for, and keeps it the next time', async () => {
    const asked = { 'profile-arn': other }
    expect(await organisation([east, other], asked)).toMatchObject({ profileArn: other, notices: [] })
    expect(await organisation([east, other])).toMatchObject({ profileArn: other, notices: [] })
    expect(await organisation([east])).toMatchObject({ profileArn: east, notices: [] })
    const { profileArn, notices } = await organisation([east], asked)
    expect(profileArn).toBe(other)
    expect(notices).toEqual([expect.stringContaining(`${other} is none of the profiles`)])
  })

  test.for<[string, readonly string[] | Answer, RegExp]>([
    ['there is none', [], /has no profile/],
    [
      'they cannot be listed',
      { status: 500, body: { message: 'Oh, aoa-test-1.' } },
      /cannot be listed \(Oh, \[masked\]/,
    ],
    ['what comes is no list', { body: 'no' }, /cannot be listed/],
  ])('has no profile where %s, and says so', async ([, profiles, words]) => {
    const { profileArn, notices } = await organisation(profiles)
    expect(profileArn).toBeUndefined()
    expect(notices).toEqual([expect.stringMatching(words)])
  })
})

describe('an import', () => {
  test('copies the login of a command line, and needs nobody', async () => {
    const source = join(folder, 'data.sqlite3')
    writeDatabase(source, amazonQLogin(5))
    expect(await start({ import: source })).toBeUndefined()
    expect(await read()).toMatchObject({
      madeBy: 'millrace',
      accessToken: 'aoa-test-5',
      refreshToken: 'aor-test-5',
      clientId: 'client-test',
      clientSecret: 'secret-test',
    })
    expect(await read()).not.toHaveProperty('copiedFrom')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(server.asked).toEqual([])
  })

  test('has the profile that is asked for', async () => {
    const source = join(folder, 'data.sqlite3')
    writeDatabase(source, amazonQLogin(5))
    const profileArn = 'arn:aws:codewhisperer:us-east-1:123456789012:profile/TEST'
    await start({ import: source, 'profile-arn': profileArn })
    expect(await read()).toMatchObject({ profileArn, isKiro: false })
  })

  test('takes the registration of Kiro along', async () => {
    const source = join(folder, 'kiro-auth-token.json')
    const { accessToken, refreshToken, expiresAt, region } = ownLogin(5)
    const login = { accessToken, refreshToken, expiresAt, region, authMethod: 'IdC', clientIdHash: 'abc123' }
    await writeFile(source, JSON.stringify(login))
    const registration = { clientId: 'client-kiro', clientSecret: 'secret-kiro', expiresAt: '2099-01-01T00:00:00.000Z' }
    await writeFile(join(folder, 'abc123.json'), JSON.stringify(registration))
    await start({ import: source })
    expect(await read()).toMatchObject({
      accessToken: 'aoa-test-5',
      isKiro: true,
      clientId: 'client-kiro',
      clientSecret: 'secret-kiro',
      clientSecretExpiresAt: '2099-01-01T00:00:00.000Z',
    })
  })

  test.for<[string, string, RegExp]>([
    ['is not there', '', /ENOENT/],
    ['is no login', '{}', /accessToken/],
    ['is something else', 'aor-test-5', /neither a database nor JSON/],
  ])('of a file that %s comes to nothing', async ([, contents, words]) => {
    const source = join(folder, 'source')
    if (contents !== '') await writeFile(source, contents)
    const failed = start({ import: source })
    await expect(failed).rejects.toThrow(LoginError)
    await expect(failed).rejects.toThrow(words)
    await expect(failed).rejects.not.toThrow(/aor-test/)
  })
})
