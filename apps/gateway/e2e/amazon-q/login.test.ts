import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { runMillrace, type RunningCommand } from '../run-command.ts'
import { startGateway } from '../start-gateway.ts'
import { ask } from './ask.ts'
import { ADMIN_KEY, serviceOf } from './gateway-with-amazon-q.ts'
import { createFolder, issueTokens, writeDatabase, writeKiroLogin, type Folder } from './logins.ts'
import { startSimulated, type SimulatedAmazonQ } from '../simulated-service.ts'

let amazonQ: SimulatedAmazonQ
let folder: Folder
beforeAll(async () => {
  amazonQ = await startSimulated('amazon-q')
})
afterAll(() => amazonQ[Symbol.asyncDispose]())
beforeEach(async () => {
  await amazonQ.control({ reset: {}, setSignIn: { interval: 0.05 } })
  folder = await createFolder()
  return () => folder[Symbol.asyncDispose]()
})

const env = (): Record<string, string> => ({ MILLRACE_STATE_DIR: join(folder.path, 'state') })
const ownFile = (name: string): string => join(folder.path, 'state/sign-ins/amazon-q', `${name}.json`)
const toConfig = (accounts: readonly object[], more: object = {}): object => ({
  providers: { 'amazon-q': { ...serviceOf(amazonQ), accounts } },
  ...more,
})
const OTHER = { name: 'other', accessToken: 'aoa-canary-other' }

/** `millrace …`, with a configuration. */
async function millrace(args: readonly string[], config: object = toConfig([OTHER])): Promise<RunningCommand> {
  const file = join(folder.path, 'millrace.yaml')
  await writeFile(file, stringify(config))
  return runMillrace([...args, '--config', file], env())
}

interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

/** What comes of `millrace …`, where nobody has to do anything. */
async function run(args: readonly string[], config?: object): Promise<Ended> {
  await using command = await millrace(args, config)
  const ended = { code: await command.exited, stdout: command.stdout(), stderr: command.stderr() }
  expect(ended.stdout + ended.stderr).not.toContain('canary')
  return ended
}

/** The entry for the configuration that the command prints. */
function accountIn({ stdout }: { readonly stdout: string }): object {
  expect(stdout).toContain('add this to `accounts` of `providers.amazon-q`')
  const [account] = parse(stdout.slice(stdout.indexOf('- name:'))) as [object]
  return account
}

/** Asks a gateway with this account, which has to serve. */
async function expectAnswer(account: object, name: string): Promise<void> {
  await using gateway = await startGateway(toConfig([account]), env())
  const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: 'any', maxRetries: 0 })
  const seen = await ask(client, '[say Signed in.]')
  expect(seen).toMatchObject({ text: 'Signed in.', failure: undefined })
  expect(await gateway.access(seen.requestId)).toMatchObject({ account: name })
  const written = JSON.stringify(gateway.log) + gateway.errors()
  for (const { accessToken, refreshToken } of (await amazonQ.state()).tokens) {
    for (const secret of [accessToken, refreshToken]) expect(written).not.toContain(secret)
  }
}

describe('millrace login amazon-q', () => {
  test.for([
    {
      what: 'AWS Builder ID',
      args: [],
      account: /^builder-/,
      startUrl: 'https://view.awsapps.com/start',
      profile: /^$/,
    },
    {
      what: 'an Identity Center',
      args: ['--start-url', 'https://d-1234567890.awsapps.com/start', '--region', 'eu-central-1'],
      account: /^pro-/,
      startUrl: 'https://d-1234567890.awsapps.com/start',
      // Of its two profiles that of the region.
      profile: /^arn:aws:codewhisperer:eu-central-1:/,
    },
  ])('from the page to an answer: $what', async ({ args, account, startUrl, profile }) => {
    await amazonQ.control({ scriptPolls: { answers: ['pending', 'page'] } })
    await using command = await millrace(['login', 'amazon-q', '--name', 'me', ...args])
    const [, url] = await command.seen(/^ {2}(http:\S+)$/m)
    const [, code] = await command.seen(/^The code there has to be {2}(\S+)$/m)
    expect(new URL(url!).searchParams.get('user_code')).toBe(code)
    // Nobody has agreed yet.
    await amazonQ.until(({ devices }) => devices.some(({ polls }) => polls > 1))
    expect((await fetch(url!)).status).toBe(200)
    await expect(command.exited).resolves.toBe(0)

    expect(command.stdout()).toContain(`Signed in. The credential of me is in ${ownFile('me')}`)
    expect((await stat(ownFile('me'))).mode & 0o777).toBe(0o600)
    const kept = JSON.parse(await readFile(ownFile('me'), 'utf8')) as Record<string, string>
    for (const member of ['accessToken', 'refreshToken', 'clientSecret']) {
      expect(kept[member]).toMatch(/.{8}/)
      expect(command.stdout() + command.stderr()).not.toContain(kept[member])
    }
    expect(kept['profileArn'] ?? '').toMatch(profile)
    const { tokens, devices } = await amazonQ.state()
    expect(tokens.at(-1)!.account).toMatch(account)
    expect(devices.at(-1)!.bound.startUrl).toBe(startUrl)

    const entry = accountIn({ stdout: command.stdout() })
    expect(entry).toEqual({ name: 'me', sso: { file: ownFile('me') } })
    await expectAnswer(entry, 'me')
  })

  test('keeps the sign-in where the configuration says that it is', async () => {
    const file = join(folder.path, 'own', 'me.json')
    const ended = await run(['login', 'amazon-q', '--name', 'me'], toConfig([{ name: 'me', sso: { file } }]))
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.stdout.trim().split('\n').at(-1)).toBe(`Signed in. The credential of me is in ${file}`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  test('one that comes to nothing is told in words', async () => {
    await amazonQ.control({ scriptPolls: { answers: ['denied'] } })
    const { code, stderr } = await run(['login', 'amazon-q', '--name', 'me'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('The sign-in was refused')])
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('leaves the login of another program alone', async () => {
    const login = await writeKiroLogin(folder, await issueTokens(amazonQ, 'theirs'))
    const { code, stderr } = await run(['login', 'amazon-q', '--name', 'me'], toConfig([{ name: 'me', login }]))
    expect(code).toBe(1)
    expect(stderr).toMatch(/belongs to another program/)
  })
})

describe('millrace login amazon-q --import', () => {
  const writers = {
    "the database of Amazon Q's command line": async (): Promise<string> => {
      const file = join(folder.path, 'data.sqlite3')
      writeDatabase(file, await issueTokens(amazonQ, 'imported'))
      return file
    },
    'the file of Kiro': async (): Promise<string> => writeKiroLogin(folder, await issueTokens(amazonQ, 'imported')),
  }

  test.for(Object.entries(writers))('%s becomes an account that renews itself and answers', async ([, write]) => {
    const file = await write()
    const ended = await run(['login', 'amazon-q', '--name', 'mine', '--import', file])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const account = accountIn(ended)
    expect(account).toEqual({ name: 'mine', sso: { file: ownFile('mine') } })
    expect((await stat(ownFile('mine'))).mode & 0o777).toBe(0o600)
    await amazonQ.control({ expireToken: { token: 'aoa-canary-access-imported' } })
    await expectAnswer(account, 'mine')
    expect((await amazonQ.state()).refreshes).toMatchObject({ asked: 1, done: 1 })
  })

  test('what is no login is told in words', async () => {
    const file = await folder.write('package.json', { name: 'mill' })
    const { code, stderr } = await run(['login', 'amazon-q', '--name', 'mine', '--import', file])
    expect(code).toBe(1)
    expect(stderr).toContain(`${file} cannot be imported: `)
    expect(stderr).not.toMatch(/^ +at /m)
  })
})

describe('millrace accounts', () => {
  test('lists the accounts of a running gateway, clears and tries them, and shows no token', async () => {
    const accounts = [{ name: 'spent', accessToken: 'aoa-canary-one' }, OTHER]
    const config = toConfig(accounts, { admin: { key: ADMIN_KEY } })
    await using gateway = await startGateway(config, env())
    await amazonQ.control({ exhaust: { credential: 'aoa-canary-one' } })
    const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: 'any', maxRetries: 0 })
    for (let round = 0; round < 2; round++) expect((await ask(client, 'Hello')).failure).toBeUndefined()

    const at = ['--url', gateway.origin]
    const { code, stdout } = await run(['accounts', 'list', ...at], config)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^amazon-q +spent +quota-exhausted +\d{4}-\d\d-01T00:00:00Z .*quota for this month/m)
    expect(stdout).toMatch(/^amazon-q +other +ok +- /m)

    const failed = await run(['accounts', 'probe', 'amazon-q', 'spent', ...at], config)
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^It failed: .*quota for this month/) })
    await amazonQ.control({ restore: { credential: 'aoa-canary-one' } })
    const served = await run(['accounts', 'probe', 'amazon-q', 'spent', ...at], config)
    expect(served).toMatchObject({ code: 0, stdout: 'It works.\namazon-q spent is ok.\n' })
  })
})
