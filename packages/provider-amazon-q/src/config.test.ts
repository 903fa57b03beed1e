import { describe, expect, test } from 'vitest'
import { accountsOf, config, mistakesIn } from './config.ts'

const parse = (settings: object) => config.parse({ kind: 'amazon-q', ...settings })
const token = { name: 'a', accessToken: 'test-token' }
const ARN = 'arn:aws:codewhisperer:eu-central-1:123456789012:profile/AAAABBBBCCCC'

describe('accounts', () => {
  test('one token is the short form of one account', () => {
    expect(accountsOf(parse({ accessToken: 'test-token', region: 'eu-central-1' }))).toEqual([
      { name: 'default', accessToken: 'test-token', profileArn: undefined, region: 'eu-central-1', owner: undefined },
    ])
  })

  test('each has the way in that it names, and its own region before that of the provider', () => {
    const sso = { file: '/var/lib/millrace/q.json', startUrl: 'https://d-0.awsapps.com/start', region: 'eu-west-1' }
    const accounts = [
      { name: 'a', login: '~/.local/share/amazon-q/data.sqlite3', region: 'us-east-1' },
      { name: 'b', sso, profileArn: ARN },
      { name: 'c', aws: true },
      { name: 'd', aws: { profile: 'team' } },
    ]
    expect(accountsOf(parse({ region: 'eu-central-1', accounts }))).toMatchObject([
      { login: accounts[0]!.login, region: 'us-east-1' },
      { sso, profileArn: ARN, region: 'eu-central-1' },
      { aws: true },
      { aws: { profile: 'team' } },
    ])
  })

  test('an owner is served alone, unless the account is shared', () => {
    const accounts = [
      { ...token, owner: 'ann' },
      { ...token, name: 'b', owner: 'ann', shared: true },
    ]
    expect(accountsOf(parse({ accounts })).map(({ owner }) => owner)).toEqual(['ann', undefined])
  })
})

describe('mistakes', () => {
  test.each<[settings: object, mistake: string]>([
    [{}, 'accessToken is missing'],
    [{ accessToken: 'x', accounts: [token] }, 'accessToken must go into'],
    [{ accounts: [token, token] }, 'accounts.1.name is the name of another'],
    [{ accounts: [{ name: 'a' }] }, 'accounts.0 must have one of'],
    [{ accounts: [{ name: 'a', accessToken: '' }] }, 'accounts.0 must have one of'],
    [{ accounts: [{ ...token, login: 'f' }] }, 'accounts.0.login does not go together with `accessToken`'],
    [{ accounts: [{ ...token, shared: true }] }, 'accounts.0.shared is for the accounts of persons'],
    [{ accounts: [{ name: 'a', aws: true, profileArn: ARN }] }, 'accounts.0.profileArn is for sign-ins'],
    [{ accounts: [{ name: 'a', aws: {} }] }, 'accounts.0.aws must have a `profile`, or'],
    [{ accounts: [{ name: 'a', aws: { accessKeyId: 'x' } }] }, 'accounts.0.aws must have a `profile`, or'],
    [{ accounts: [{ name: 'a', aws: { profile: 'p', sessionToken: 'x' } }] }, 'accounts.0.aws must have either'],
  ])('%j: %s', (settings, mistake) => {
    const told = mistakesIn(parse(settings)).map(({ path, message }) => `${path.join('.')} ${message}`)
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(mistake)
  })

  test.each<[settings: object, at: string]>([
    [{ accessToken: 'x', region: 'mars' }, 'region'],
    [{ accessToken: 'x', origin: 'cli' }, 'origin'],
    [{ accessToken: 'x', flavour: 'xml' }, 'flavour'],
    [{ accessToken: 'x', other: 1 }, ''],
    [{ accounts: [{ ...token, profileArn: 'arn:aws:iam::1:user/x' }] }, 'accounts.0.profileArn'],
    [{ accounts: [{ name: 'a', aws: false }] }, 'accounts.0.aws'],
  ])('%j is refused', (settings, at) => {
    const { error } = config.safeParse({ kind: 'amazon-q', ...settings })
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([at])
  })

  test('there are none in what is good', () => {
    expect(mistakesIn(parse({ accessToken: 'x' }))).toEqual([])
    expect(
      mistakesIn(
        parse({
          accounts: [
            { ...token, owner: 'ann', shared: true },
            { name: 'b', aws: true },
          ],
        }),
      ),
    ).toEqual([])
  })
})
