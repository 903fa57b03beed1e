import { readFile, watch, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { ADMIN_KEY, listAccounts, serviceOf, type ListedAccount } from './gateway-with-amazon-q.ts'
import { createFolder, issueTokens, toOwnLogin, writeDatabase, writeKiroLogin, type Folder } from './logins.ts'
import { startSimulated, type SimulatedAmazonQ } from '../simulated-service.ts'

/** The accounts of one gateway: each the only one of a provider of that name, with a file of that name. */
const NAMES = [
  'many',
  'refused',
  'invalid-grant',
  'server-error',
  'gateway-timeout',
  'hanging',
  'renewed',
  'ended',
  'streaming',
]

let amazonQ: SimulatedAmazonQ
let folder: Folder
let gateway: RunningGateway
let hanging: Hanging
beforeAll(async () => {
  amazonQ = await startSimulated('amazon-q')
  folder = await createFolder()
  gateway = await start(Object.fromEntries(NAMES.map(name => [name, { sso: { file: fileOf(name) } }])))
  hanging = await beginHanging()
})
afterEach(async () => void (await amazonQ.control({ reset: {} })))
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
  await amazonQ[Symbol.asyncDispose]()
})

const EXPIRED_MS = -1000

const fileOf = (name: string): string => join(folder.path, `${name}.json`)

/** A sign-in of the gateway's own. */
async function writeSignIn(account: string, expiresInMs?: number): Promise<string> {
  return folder.write(`${account}.json`, toOwnLogin(await issueTokens(amazonQ, account, expiresInMs)))
}

/** A gateway with providers of one account each, which asks for nothing until it is asked. */
function start(
  accounts: Readonly<Record<string, object>>,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> {
  const providers = Object.entries(accounts).map(([provider, account]) => {
    const settings = { models: ['claude-sonnet-4.5'], accounts: [{ name: 'me', ...account }] }
    return [provider, { ...serviceOf(amazonQ), ...settings }] as const
  })
  return startGateway({ admin: { key: ADMIN_KEY }, providers: Object.fromEntries(providers) }, env)
}

interface Outcome {
  readonly status: number
  readonly text: string
}

interface Asking {
  readonly content?: string
  readonly stream?: boolean
  readonly of?: RunningGateway
}

async function ask(model: string, { content = 'Hello', stream = false, of = gateway }: Asking = {}): Promise<Outcome> {
  const response = await fetch(`${of.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content }] }),
  })
  return { status: response.status, text: await response.text() }
}

const askTogether = (model: string, count: number, of = gateway): Promise<Outcome[]> =>
  Promise.all(Array.from({ length: count }, () => ask(model, { of })))

function tally(outcomes: readonly Outcome[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const errorIn = ({ text }: Outcome): { readonly code: string; readonly message: string } =>
  (JSON.parse(text) as { error: { code: string; message: string } }).error
const stateOf = async (name: string): Promise<ListedAccount> =>
  (await listAccounts(gateway)).find(({ provider }) => provider === name)!
const refreshes = async (): Promise<number> => (await amazonQ.state()).refreshes.asked

interface Hanging {
  readonly over: Promise<{ readonly outcomes: readonly Outcome[]; readonly waitedMs: number }>
}

/** 200 callers whose refresh hangs. It takes ten seconds, in which other tests run: any second refresh would disturb those. */
async function beginHanging(): Promise<Hanging> {
  await writeSignIn('hanging', EXPIRED_MS)
  await amazonQ.control({ scriptRefreshes: { answers: ['hang'] } })
  const askedAt = performance.now()
  const over = askTogether('hanging', 200).then(outcomes => ({ outcomes, waitedMs: performance.now() - askedAt }))
  await amazonQ.until(({ refreshes }) => refreshes.asked === 1)
  await amazonQ.control({ reset: {} })
  return { over }
}

describe('200 callers', () => {
  test('on a token that has expired wait for one refresh, and are all answered', async () => {
    await writeSignIn('many', EXPIRED_MS)
    await amazonQ.control({ setSignIn: { refreshDelayMs: 500 } })
    const askedAt = performance.now()
    expect(tally(await askTogether('many', 200))).toEqual({ 200: 200 })
    // The refresh, 300 ms beside it, and what 200 clients in one process take on a busy machine.
    expect(performance.now() - askedAt).toBeLessThan(3000)
    expect(await refreshes()).toBe(1)
    expect((await amazonQ.state()).calls.every(({ status }) => status === 200)).toBe(true)
  })

  test('on a token that is refused are sent on with a new one, each once', async () => {
    await writeSignIn('refused')
    await amazonQ.control({ expireToken: { token: 'aoa-canary-access-refused' }, setSignIn: { refreshDelayMs: 200 } })
    expect(tally(await askTogether('refused', 200))).toEqual({ 200: 200 })
    const { refreshes, stats, calls } = await amazonQ.state()
    expect(refreshes.asked).toBe(1)
    expect(stats.requests).toBeLessThanOrEqual(401)
    expect(calls.filter(({ status }) => status === 200)).toHaveLength(200)
  })

  test.for([
    [
      'invalid-grant',
      /me has no valid sign-in .*invalid_grant.*: log in again with `millrace login invalid-grant --name me`/,
    ],
    ['server-error', /The sign-in of me cannot be renewed for now/],
    ['gateway-timeout', /The sign-in of me cannot be renewed for now/],
  ] as const)('are all told of one refresh that fails: %s', async ([answer, words]) => {
    await writeSignIn(answer, EXPIRED_MS)
    await amazonQ.control({ setSignIn: { refreshDelayMs: 300 }, scriptRefreshes: { answers: [answer, answer] } })
    const outcomes = await askTogether(answer, 200)
    expect(tally(outcomes)).toEqual({ 502: 200 })
    expect(new Set(outcomes.map(outcome => errorIn(outcome).code))).toEqual(new Set(['upstream_auth_failed']))
    for (const outcome of outcomes) expect(errorIn(outcome).message).toMatch(words)
    expect(await refreshes()).toBe(1)
    expect(await stateOf(answer)).toMatchObject({ state: 'auth-expired', reason: expect.stringMatching(words) })

    // It stays out, and nobody asks again.
    expect((await ask(answer)).status).toBe(502)
    expect(await refreshes()).toBe(1)
    expect((await amazonQ.state()).stats.chats).toBe(0)
  })
})

test('a new login is noticed while the gateway runs', async () => {
  const missing = await ask('renewed')
  expect([missing.status, errorIn(missing).message]).toEqual([
    502,
    expect.stringMatching(/is not there.*`millrace login renewed --name me`/),
  ])
  await writeSignIn('renewed')
  await expect.poll(async () => (await ask('renewed')).status, { timeout: 15_000 }).toBe(200)
  expect(await stateOf('renewed')).toMatchObject({ state: 'ok' })
})

test('a login that has expired and has nothing to renew it with says so, and asks nobody', async () => {
  const { client: _, refreshToken: _none, ...tokens } = await issueTokens(amazonQ, 'ended', EXPIRED_MS)
  await folder.write('ended.json', { madeBy: 'millrace', ...tokens, authMethod: 'IdC' })
  for (let round = 0; round < 3; round++) {
    const outcome = await ask('ended')
    expect(outcome.status).toBe(502)
    expect(errorIn(outcome).message).toMatch(/it has expired and has no refresh token.*millrace login ended/)
  }
  const { refreshes, stats } = await amazonQ.state()
  expect([refreshes.asked, stats.chats]).toEqual([0, 0])
})

test('a token that ends during an answer does it no harm; the next request renews it', async () => {
  await writeSignIn('streaming')
  const answer = ask('streaming', { content: '[simulate: script=text&words=40&pace=25]', stream: true })
  await amazonQ.until(({ stats }) => stats.streamsOpen > 0)
  await amazonQ.control({ expireToken: { token: 'aoa-canary-access-streaming' } })
  expect((await answer).text).toMatch(/data: \[DONE\]\s+$/)
  expect(await refreshes()).toBe(0)
  expect((await ask('streaming')).status).toBe(200)
  expect(await refreshes()).toBe(1)
})

/** What comes of 200 requests to two gateways with the same account. */
async function askBoth(account: object): Promise<object> {
  await using running = new AsyncDisposableStack()
  const gateways = await Promise.all([start({ 'amazon-q': account }), start({ 'amazon-q': account })])
  for (const gateway of gateways) running.use(gateway)
  await amazonQ.control({ setSignIn: { refreshDelayMs: 300 } })
  const outcomes = await Promise.all(gateways.map(gateway => askTogether('amazon-q', 100, gateway)))
  const { calls } = await amazonQ.state()
  const refused = calls.filter(({ status }) => status !== 200).length
  return { statuses: tally(outcomes.flat()), refreshes: await refreshes(), refused }
}

describe('two gateways', () => {
  const shared = { statuses: { 200: 200 }, refreshes: 1, refused: 0 }

  test("share one refresh of a sign-in of the gateway's own", async () => {
    const file = await writeSignIn('shared', EXPIRED_MS)
    expect(await askBoth({ sso: { file } })).toEqual(shared)
  })

  test('share one refresh of the login of a command line, whose database stays as it is', async () => {
    const file = join(folder.path, 'data.sqlite3')
    writeDatabase(file, await issueTokens(amazonQ, 'shared', EXPIRED_MS))
    const before = await readFile(file)
    expect(await askBoth({ login: file })).toEqual(shared)
    expect((await readFile(file)).equals(before)).toBe(true)
  })

  test("share one refresh of Kiro's login, whose file keeps what else is in it", async () => {
    const file = await writeKiroLogin(folder, await issueTokens(amazonQ, 'shared', EXPIRED_MS))
    expect(await askBoth({ login: file })).toEqual(shared)
    const kept = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
    expect(kept).toMatchObject({ provider: 'BuilderId', clientIdHash: expect.any(String) })
    expect(kept['accessToken']).not.toContain('canary')
  })
})

test('what a command line has renewed itself is picked up', async () => {
  const file = join(folder.path, 'own.sqlite3')
  writeDatabase(file, await issueTokens(amazonQ, 'before'))
  await using of = await start({ 'amazon-q': { login: file } })
  expect((await ask('amazon-q', { of })).status).toBe(200)
  await amazonQ.control({
    expireToken: { token: 'aoa-canary-access-before' },
    scriptRefreshes: { answers: ['invalid-grant'] },
  })
  writeDatabase(file, await issueTokens(amazonQ, 'after'))
  expect((await ask('amazon-q', { of })).status).toBe(200)
  expect((await amazonQ.state()).calls.at(-1)).toMatchObject({ credential: 'aoa-canary-access-after', status: 200 })
})

test('killed in the middle of a refresh it leaves a file that can be read', async () => {
  const file = await writeSignIn('killed', EXPIRED_MS)
  await amazonQ.control({ setSignIn: { refreshDelayMs: 40 } })
  for (let round = 0; round < 4; round++) {
    await using of = await start({ 'amazon-q': { sso: { file } } })
    const asked = await refreshes()
    const changes = watch(folder.path)[Symbol.asyncIterator]()
    const asking = ask('amazon-q', { of }).catch(() => undefined)
    // Before the new tokens have come, or while they are written down.
    if (round % 2 === 0) while ((await refreshes()) === asked);
    else await changes.next()
    of.signal('SIGKILL')
    await Promise.all([asking, of.exited, changes.return?.()])
    const kept = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
    for (const member of ['accessToken', 'refreshToken', 'clientSecret']) expect(kept[member]).toMatch(/./)
    // Whichever they are, they have expired again.
    await amazonQ.control({ issueTokens: { account: 'killed', refreshToken: kept['refreshToken'] } })
    await writeFile(file, JSON.stringify({ ...kept, expiresAt: new Date(Date.now() + EXPIRED_MS).toISOString() }))
  }
})

test('no token is ever written', async () => {
  const file = await writeSignIn('quiet', EXPIRED_MS)
  await using of = await start({ 'amazon-q': { sso: { file } } }, { DEBUG_STREAMING: 'true' })
  expect((await ask('amazon-q', { of, stream: true })).status).toBe(200)
  await amazonQ.control({ scriptRefreshes: { answers: ['revoked'] } })
  for (const { accessToken } of (await amazonQ.state()).tokens) {
    await amazonQ.control({ expireToken: { token: accessToken } })
  }
  const refused = await ask('amazon-q', { of })
  expect(refused.status).toBe(502)
  const { tokens, clients } = await amazonQ.state()
  const secrets = [
    ...tokens.flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken]),
    ...clients.map(({ clientSecret }) => clientSecret),
  ]
  expect(secrets.length).toBeGreaterThan(4)
  const table = JSON.stringify(await listAccounts(of))
  const written = [JSON.stringify(of.log), of.errors(), refused.text, table].join('\n')
  expect(written).toContain('→ upstream')
  expect([...secrets, 'canary'].filter(secret => written.includes(secret))).toEqual([])
})

// The last one: it has waited all the time.
test('200 callers wait no longer than 10 seconds for a refresh that hangs', async () => {
  const { outcomes, waitedMs } = await hanging.over
  expect(tally(outcomes)).toEqual({ 502: 200 })
  expect(errorIn(outcomes[0]!).message).toMatch(/no answer within 10 s/)
  expect(waitedMs).toBeGreaterThan(9500)
  expect(waitedMs).toBeLessThan(15_000)
})
