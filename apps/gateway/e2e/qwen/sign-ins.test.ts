import { readFile, watch, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { createSignInFile } from './sign-in-file.ts'
import { startSimulated, type SimulatedQwen } from '../simulated-service.ts'

let qwen: SimulatedQwen
beforeAll(async () => {
  qwen = await startSimulated('qwen')
})
afterEach(async () => void (await qwen.control({ reset: {} })))
afterAll(() => qwen[Symbol.asyncDispose]())

/** A gateway with this sign-in as its only account. */
function gatewayOf(path: string, env: Readonly<Record<string, string>> = {}): Promise<RunningGateway> {
  const accounts = [{ name: 'me', oauth: path, authUrl: qwen.url }]
  return startGateway({ providers: { qwen: { kind: 'qwen', accounts } }, stream: { commitAfter: '60s' } }, env)
}

interface Outcome {
  readonly status: number
  readonly text: string
}

async function ask(gateway: RunningGateway, model = 'qwen3-coder-plus', stream = false): Promise<Outcome> {
  const response = await fetch(`${gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: `qwen/${model}`, stream, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  return { status: response.status, text: await response.text() }
}

const askTogether = (gateway: RunningGateway, count: number): Promise<Outcome[]> =>
  Promise.all(Array.from({ length: count }, () => ask(gateway)))

/** How many had which status. */
function tally(outcomes: readonly Outcome[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

describe('200 callers on an expired token', () => {
  test('wait for one refresh, and are all answered', async () => {
    await using file = await createSignInFile(qwen, { account: 'many' })
    await using gateway = await gatewayOf(file.path)
    await qwen.control({ setSignIn: { refreshDelayMs: 500 } })
    expect(tally(await askTogether(gateway, 200))).toEqual({ 200: 200 })
    expect((await qwen.state()).refreshes.asked).toBe(1)
  })

  test.for(['server-error', 'invalid', 'gateway-timeout'])(
    'are all told of one refresh that fails: %s',
    async answer => {
      await using file = await createSignInFile(qwen, { account: 'refused' })
      await using gateway = await gatewayOf(file.path)
      await qwen.control({ setSignIn: { refreshDelayMs: 300 }, scriptRefreshes: { answers: [answer, answer] } })
      const outcomes = await askTogether(gateway, 200)
      expect(tally(outcomes)).toEqual({ 502: 200 })
      expect(new Set(outcomes.map(({ text }) => (JSON.parse(text) as { error: { code: string } }).error.code))).toEqual(
        new Set(['upstream_auth_failed']),
      )
      expect((await qwen.state()).refreshes.asked).toBe(1)
      expect(outcomes[0]!.text.includes('millrace login qwen --name me')).toBe(answer === 'invalid')
    },
  )

  test('wait no longer than 10 seconds for one that hangs', async () => {
    await using file = await createSignInFile(qwen, { account: 'hanging' })
    await using gateway = await gatewayOf(file.path)
    await qwen.control({ scriptRefreshes: { answers: ['hang'] } })
    const askedAt = performance.now()
    expect(tally(await askTogether(gateway, 200))).toEqual({ 502: 200 })
    const waitedMs = performance.now() - askedAt
    expect(waitedMs).toBeGreaterThan(9500)
    expect(waitedMs).toBeLessThan(15_000)
  })
})

test('two gateways share one refresh', async () => {
  await using file = await createSignInFile(qwen, { account: 'shared' })
  await using one = await gatewayOf(file.path)
  await using other = await gatewayOf(file.path)
  await qwen.control({ setSignIn: { refreshDelayMs: 300 } })
  const outcomes = await Promise.all([askTogether(one, 100), askTogether(other, 100)])
  expect(tally(outcomes.flat())).toEqual({ 200: 200 })
  expect((await qwen.state()).refreshes.asked).toBe(1)
})

test('a token that ends during a stream ends no stream', async () => {
  await using file = await createSignInFile(qwen, { account: 'streaming', expiresInMs: 3_600_000 })
  await using gateway = await gatewayOf(file.path)
  const stream = ask(gateway, 'qwen3-coder-plus?words=40&pace=25', true)
  await qwen.until(({ stats }) => stats.streamsOpen > 0)
  await qwen.control({ expireToken: { token: file.secrets[0] } })
  expect((await stream).text).toContain('data: [DONE]')
  expect((await ask(gateway)).status).toBe(200)
  expect((await qwen.state()).refreshes.asked).toBe(1)
})

test('killed in the middle of a refresh it leaves a file that can be read', async () => {
  await using file = await createSignInFile(qwen, { account: 'killed' })
  await qwen.control({ setSignIn: { refreshDelayMs: 40 } })
  for (let round = 0; round < 8; round++) {
    await using gateway = await gatewayOf(file.path)
    const { asked } = (await qwen.state()).refreshes
    const changes = watch(dirname(file.path))[Symbol.asyncIterator]()
    const asking = ask(gateway).catch(() => undefined)
    // Before the new tokens have come, or while they are written down.
    if (round % 2 === 0) while ((await qwen.state()).refreshes.asked === asked);
    else await changes.next()
    gateway.signal('SIGKILL')
    await Promise.all([asking, gateway.exited, changes.return?.()])
    const kept = JSON.parse(await readFile(file.path, 'utf8')) as { access_token: string; refresh_token: string }
    expect(kept).toMatchObject({ access_token: expect.stringMatching(/./), refresh_token: expect.stringMatching(/./) })
    // Whichever they are, they have expired again.
    await qwen.control({ issueTokens: { account: 'killed', refreshToken: kept.refresh_token, expiresIn: 3600 } })
    await writeFile(file.path, JSON.stringify({ ...kept, expiry_date: Date.now() - 1000 }))
  }
})

test('no token is ever written', async () => {
  await using file = await createSignInFile(qwen, { account: 'quiet' })
  await using gateway = await gatewayOf(file.path, { DEBUG_STREAMING: 'true' })
  await ask(gateway)
  await qwen.control({ setTier: { closed: true } })
  const refused = await ask(gateway)
  expect(refused.status).toBe(502)
  const tokens = (await qwen.state()).tokens.flatMap(token => Object.values(token)).filter(isToken)
  const written = [JSON.stringify(gateway.log), gateway.errors(), refused.text].join('\n')
  expect(written).toContain('→ upstream')
  for (const secret of [...file.secrets, ...tokens]) expect(written).not.toContain(secret)
})

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length > 12
}
