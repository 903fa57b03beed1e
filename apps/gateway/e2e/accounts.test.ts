import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startQwenSimulator, type QwenSimulator } from '@millrace/simulator'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { runMillrace } from './run-command.ts'
import { startGateway, type RunningGateway } from './start-gateway.ts'

const ADMIN_KEY = 'admin-key-0123456789-0123456789-canary'
const [FIRST, SECOND] = ['sk-test-first-canary', 'sk-test-second-canary']

let simulator: QwenSimulator
let folder: string
let stateDir: string
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())
beforeEach(async () => {
  simulator.control.reset()
  folder = await mkdtemp(join(tmpdir(), 'millrace-accounts-'))
  stateDir = join(folder, 'state')
  return () => rm(folder, { recursive: true })
})

function configuration(more: object = {}): object {
  const baseUrl = simulator.baseUrls['singapore/payg']!
  const accounts = [
    { name: 'first', apiKey: FIRST, baseUrl },
    { name: 'second', apiKey: SECOND, baseUrl },
  ]
  return { stateDir, server: { port: 0 }, providers: { team: { kind: 'qwen', accounts } }, ...more }
}
const withAdmin = (): object => configuration({ admin: { key: ADMIN_KEY } })

const start = (config: object): Promise<RunningGateway> => startGateway(config, { MILLRACE_STATE_DIR: stateDir })

async function complete(gateway: RunningGateway): Promise<Response> {
  return fetch(`${gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'team/qwen3-coder-plus', messages: [{ role: 'user', content: 'Does it run?' }] }),
  })
}

interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

/** What comes of `millrace accounts …`. */
async function accounts(config: object, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const file = join(folder, 'millrace.yaml')
  await writeFile(file, stringify(config))
  await using command = runMillrace(['accounts', ...args, '--config', file], { MILLRACE_STATE_DIR: stateDir, ...env })
  const ended = { code: await command.exited, stdout: command.stdout(), stderr: command.stderr() }
  expect(ended.stdout + ended.stderr).not.toContain('canary')
  return ended
}

const portOf = ({ origin }: RunningGateway): string => new URL(origin).port
const columnsOf = (line: string | undefined): readonly string[] => (line ?? '').split(/ {2,}/)
/** The cells of a table, line by line. */
const cellsOf = ({ stdout }: Ended): readonly (readonly string[])[] => stdout.trim().split('\n').map(columnsOf)

test('DASHSCOPE_API_KEY alone makes a provider with one account, which the greeting and the doctor name', async () => {
  const file = join(folder, 'empty.yaml')
  await writeFile(file, '')
  const baseUrl = simulator.baseUrls['singapore/payg']!
  const env = { DASHSCOPE_API_KEY: FIRST, DASHSCOPE_BASE_URL: baseUrl, MILLRACE_STATE_DIR: stateDir }
  await using gateway = runMillrace(['serve', '--port', '0', '--config', file], env)
  await gateway.seen(/^Try it:/m)
  expect(gateway.stderr()).toContain(`Provider   qwen at ${baseUrl}, because DASHSCOPE_API_KEY is set`)
  expect(gateway.stderr()).toMatch(/^ +Models +qwen\/qwen/m)
  await using doctor = runMillrace(['doctor', '--config', file], env)
  await expect(doctor.exited).resolves.toBe(0)
  expect(doctor.stdout()).toContain('qwen, because DASHSCOPE_API_KEY is set')
  for (const { stdout, stderr } of [gateway, doctor]) expect(stdout() + stderr()).not.toContain('canary')
})

describe('millrace accounts, with a gateway that runs', () => {
  test('lists, switches off, tries and clears through its admin API, found by the address in the configuration', async () => {
    await using gateway = await start(withAdmin())
    const run = (...args: readonly string[]): Promise<Ended> => accounts(withAdmin(), args, { PORT: portOf(gateway) })
    expect((await complete(gateway)).status).toBe(200)

    const listed = await run()
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(cellsOf(listed)).toEqual([
      ['PROVIDER', 'ACCOUNT', 'STATE', 'UNTIL', 'LAST USED', 'TODAY', 'REASON'],
      ['team', 'first', 'ok', '-', expect.stringMatching(/^\d{4}-.*Z$/), '1'],
      ['team', 'second', 'ok', '-', '-', '0'],
    ])
    expect(await run('disable', 'team', 'first')).toMatchObject({ code: 0, stdout: 'team first is disabled.\n' })
    expect(cellsOf(await run('list'))[1]).toMatchObject({ 2: 'disabled', 6: 'switched off by hand' })
    expect(await run('clear', 'team', 'first')).toMatchObject({ code: 0, stdout: 'team first is ok.\n' })

    expect(await run('probe', 'team', 'second')).toMatchObject({ code: 0, stdout: 'It works.\nteam second is ok.\n' })
    simulator.control.exhaust({ credential: SECOND })
    const failed = await run('probe', 'team', 'second')
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^It failed: .*\nteam second is quota-exh/) })
    expect(await run('probe', 'team', 'third')).toMatchObject({
      code: 1,
      stderr: 'There is no account team third; there are: team first, team second.\n',
    })
  })

  test('--url says where it is, --json shows what it says, and without its admin key it does nothing', async () => {
    await using gateway = await start(withAdmin())
    const { stdout } = await accounts(withAdmin(), ['list', '--json', '--url', gateway.origin])
    expect(JSON.parse(stdout)).toMatchObject({ object: 'list', data: [{ name: 'first' }, { name: 'second' }] })

    const other = configuration({ admin: { key: ADMIN_KEY.replace('admin', 'other') } })
    const refused = await accounts(other, ['list', '--url', gateway.origin])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('no admin API, or another key for it') })
    const keyless = await accounts(configuration(), ['clear', 'team', 'first'], { PORT: portOf(gateway) })
    expect(keyless).toMatchObject({ code: 1, stderr: expect.stringContaining('only for its admin key') })
    const listed = await accounts(configuration(), ['list'], { PORT: portOf(gateway) })
    expect(listed).toMatchObject({ code: 0, stderr: expect.stringContaining('there is no admin key to ask it with') })
    const abroad = await accounts(withAdmin(), ['list', '--url', 'http://gateway.example'])
    expect(abroad).toMatchObject({ code: 1, stderr: expect.stringContaining('unencrypted') })
  })
})

const spent = async (): Promise<boolean> =>
  (await readFile(join(stateDir, 'accounts.json'), 'utf8').catch(() => '')).includes('quota-exhausted')

describe('what is known of accounts', () => {
  test('outlives the process that is killed; it can be read and cleared while none runs', async () => {
    {
      await using gateway = await start(configuration())
      simulator.control.exhaust({ credential: FIRST })
      expect((await complete(gateway)).status).toBe(200)
      await expect.poll(spent, { timeout: 10_000 }).toBe(true)
      gateway.signal('SIGKILL')
      await gateway.exited
    }
    const listed = await accounts(configuration(), ['list'])
    expect(listed.stderr).toMatch(/^From .*accounts\.json: no gateway runs at /)
    expect(cellsOf(listed).slice(1)).toMatchObject([
      { 2: 'quota-exhausted', 5: '1' },
      { 2: 'ok', 5: '1' },
    ])

    {
      await using gateway = await start(configuration())
      for (let asked = 0; asked < 3; asked++) {
        const response = await complete(gateway)
        expect(await gateway.access(response.headers.get('x-request-id'))).toMatchObject({ account: 'second' })
      }
      gateway.signal('SIGKILL')
      await gateway.exited
    }
    simulator.control.restore({ credential: FIRST })
    expect(await accounts(configuration(), ['clear', 'team', 'first'])).toMatchObject({
      code: 0,
      stdout: 'team first is ok.\n',
    })
    await using gateway = await start(configuration())
    const response = await complete(gateway)
    expect(await gateway.access(response.headers.get('x-request-id'))).toMatchObject({ account: 'first' })
  })

  test('an account whose time came while no gateway ran is tried by the next request', async () => {
    {
      await using gateway = await start(configuration())
      simulator.control.exhaust({ credential: FIRST })
      await complete(gateway)
      await expect.poll(spent, { timeout: 10_000 }).toBe(true)
      gateway.signal('SIGKILL')
      await gateway.exited
    }
    const file = join(stateDir, 'accounts.json')
    const past = `"until": ${Date.now() - 1000}`
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"until": \d+/, past))
    simulator.control.restore({ credential: FIRST })
    await using gateway = await start(configuration())
    const response = await complete(gateway)
    expect(await gateway.access(response.headers.get('x-request-id'))).toMatchObject({ account: 'first' })
    const healed = await gateway.line(({ msg }) => msg === 'account')
    expect(healed).toMatchObject({ account: 'first', from: 'quota-exhausted', to: 'ok' })
  })

  test('a folder that cannot be written costs a warning and nothing else', async () => {
    await writeFile(stateDir, 'a file in its place')
    await using gateway = await start(configuration())
    expect((await complete(gateway)).status).toBe(200)
    const { msg } = await gateway.line(({ level, msg }) => level === 40 && String(msg).includes('cannot be written'))
    expect(msg).toMatch(/kept in memory only/)
    expect((await complete(gateway)).status).toBe(200)
  })
})

const file = (): string => join(stateDir, 'sign-ins', 'team', 'me.json')
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
const withSignIn = (oauth: string): object => ({
  stateDir,
  providers: { team: { kind: 'qwen', accounts: [{ name: 'me', oauth }] } },
})

describe('millrace accounts remove', () => {
  beforeEach(async () => {
    await mkdir(join(stateDir, 'sign-ins', 'team'), { recursive: true })
    await writeFile(file(), JSON.stringify({ access_token: 'at_canary' }))
  })

  test('deletes the sign-in, and says what to take out of the configuration', async () => {
    const removed = await accounts(withSignIn(file()), ['remove', 'team', 'me', '--yes'])
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining(`Deleted ${file()}`) })
    expect(removed.stdout).toContain('Take the account `me` out of `providers.team.accounts`')
    expect(await exists(file())).toBe(false)
    const again = await accounts(withSignIn(file()), ['remove', 'team', 'me', '--yes'])
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no sign-in of team me') })
  })

  test('asks before, and where there is nobody to ask deletes nothing', async () => {
    const asked = await accounts(withSignIn(file()), ['remove', 'team', 'me'])
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') })
    expect(await exists(file())).toBe(true)
  })

  test('leaves alone what is not its own', async () => {
    const foreign = join(folder, 'oauth_creds.json')
    await writeFile(foreign, '{}')
    const removed = await accounts(withSignIn(foreign), ['remove', 'team', 'me', '--yes'])
    expect(removed).toMatchObject({ code: 1, stderr: expect.stringContaining('which stays') })
    expect([await exists(foreign), await exists(file())]).toEqual([true, true])
  })
})
