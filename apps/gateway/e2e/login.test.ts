import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startQwenSimulator, type QwenSimulator } from '@millrace/simulator'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { runMillrace, type RunningCommand } from './run-command.ts'
import { startGateway } from './start-gateway.ts'

let simulator: QwenSimulator
let folder: string
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())
beforeEach(async () => {
  simulator.control.reset()
  simulator.control.setSignIn({ interval: 0.05 })
  folder = await mkdtemp(join(tmpdir(), 'millrace-login-'))
  return () => rm(folder, { recursive: true })
})

async function login(args: readonly string[], accounts: readonly object[] = []): Promise<RunningCommand> {
  const config = join(folder, 'millrace.yaml')
  const qwen = { kind: 'qwen', authUrl: simulator.url, accounts: [{ name: 'key', apiKey: 'sk-test' }, ...accounts] }
  await writeFile(config, stringify({ providers: { qwen } }))
  const env = { MILLRACE_STATE_DIR: join(folder, 'state') }
  return runMillrace(['login', ...args, '--config', config], env)
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('millrace login', () => {
  test('from the page to an answer: the file it keeps and the lines it prints make an account', async () => {
    simulator.control.scriptPolls({ answers: ['page'] })
    await using command = await login(['qwen', '--name', 'me'])
    const [, url] = await command.seen(/^ {2}(http:\S+)$/m)
    const [, code] = await command.seen(/^The code there has to be {2}(\w+)$/m)
    expect(new URL(url!).searchParams.get('user_code')).toBe(code)
    expect((await fetch(url!)).status).toBe(200)
    await expect(command.exited).resolves.toBe(0)

    const path = join(folder, 'state/sign-ins/qwen/me.json')
    expect(command.stdout()).toContain(`The credential of me is in ${path}`)
    expect(command.stderr()).toContain('ended the free tier behind these sign-ins on 15 April 2026')
    expect([await modeOf(path), await modeOf(join(folder, 'state'))]).toEqual([0o600, 0o700])
    expect(await readdir(join(folder, 'state/sign-ins/qwen'))).toEqual(['me.json'])
    const credential = JSON.parse(await readFile(path, 'utf8')) as Record<string, string>
    for (const member of ['access_token', 'refresh_token']) {
      expect(credential[member]).toMatch(/.{4}/)
      expect(command.stdout() + command.stderr()).not.toContain(credential[member])
    }

    expect(command.stdout()).toContain('add this to `accounts` of `providers.qwen`')
    const [account] = parse(command.stdout().slice(command.stdout().indexOf('- name:'))) as [object]
    expect(account).toEqual({ name: 'me', oauth: path })
    const qwen = { kind: 'qwen', authUrl: simulator.url, accounts: [account] }
    await using gateway = await startGateway({ providers: { qwen } })
    const response = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'qwen/coder-model', messages: [{ role: 'user', content: 'Does the mill run?' }] }),
    })
    expect(response.status).toBe(200)
    expect(await gateway.access(response.headers.get('x-request-id'))).toMatchObject({ account: 'me' })
    expect(JSON.stringify(gateway.log) + gateway.errors()).not.toContain(credential['access_token'])
  })

  test('keeps the credential where the configuration says that it is', async () => {
    const oauth = join(folder, 'own', 'creds.json')
    await using command = await login(['qwen', '--name', 'me'], [{ name: 'me', oauth }])
    await expect(command.exited).resolves.toBe(0)
    expect(command.stdout().trim().split('\n').at(-1)).toBe(`Signed in. The credential of me is in ${oauth}`)
    expect(await modeOf(oauth)).toBe(0o600)
  })

  test('Ctrl-C ends it, and nothing is kept', async () => {
    simulator.control.scriptPolls({ answers: ['page'] })
    await using command = await login(['qwen'])
    await command.seen(/Ctrl-C/)
    await simulator.when(({ devices }) => devices.some(({ polls }) => polls > 0))
    command.signal('SIGINT')
    await expect(command.exited).resolves.toBe(130)
    expect(command.stderr()).toContain('Ended: nobody was signed in.')
    expect(await readdir(join(folder, 'state/sign-ins/qwen'))).toEqual([])
  })

  test.each([
    [['qwen'], 'The sign-in was refused.', ['denied'] as const],
    [['openai'], 'Providers of kind openai have no sign-in', []],
    [['qwne'], 'There is no provider "qwne": there are qwen,', []],
    [['qwen', '--start-url', 'https://a.example'], '--start-url is not for providers of kind qwen', []],
    [['qwen', '--name', '../me'], '"../me" is no name', []],
  ])('%j: %s', async (args, words, answers) => {
    simulator.control.scriptPolls({ answers })
    await using command = await login(args)
    await expect(command.exited).resolves.toBe(1)
    expect(command.stderr()).toContain(words)
    expect(command.stderr()).not.toMatch(/^ +at /m)
  })

  test('a provider that is not configured yet: all of its lines are printed', async () => {
    const login = join(folder, 'kiro-auth-token.json')
    const token = { accessToken: 'at_canary', refreshToken: 'rt_canary', expiresAt: '2030-01-01T00:00:00.000Z' }
    await writeFile(login, JSON.stringify({ ...token, authMethod: 'social', provider: 'Google' }))
    await writeFile(join(folder, 'empty.yaml'), '')
    const args = ['login', 'amazon-q', '--name', 'me', '--import', login, '--config', join(folder, 'empty.yaml')]
    await using command = runMillrace(args, { MILLRACE_STATE_DIR: join(folder, 'state') })
    await expect(command.exited).resolves.toBe(0)
    const { providers } = parse(command.stdout().slice(command.stdout().indexOf('providers:'))) as { providers: object }
    expect(providers).toMatchObject({ 'amazon-q': { kind: 'amazon-q', accounts: [{ name: 'me' }] } })
    expect(command.stdout() + command.stderr()).not.toContain('canary')
  })

  test('a sign-in server that is not there is told in words', async () => {
    const config = join(folder, 'nowhere.yaml')
    await writeFile(
      config,
      stringify({ providers: { qwen: { kind: 'qwen', apiKey: 'sk-test', authUrl: 'http://localhost:1' } } }),
    )
    await using command = runMillrace(['login', 'qwen', '--config', config], { MILLRACE_STATE_DIR: folder })
    await expect(command.exited).resolves.toBe(1)
    expect(command.stderr()).not.toMatch(/^ +at /m)
    expect(command.stderr().trim().split('\n').at(-1)).toMatch(/connect|reach/i)
  })
})
