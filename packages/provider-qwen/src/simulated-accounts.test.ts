import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Provider, UpstreamError } from '@millrace/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pollDeviceLogin, startDeviceLogin } from './device-login.ts'
import type { SignInServer } from './sign-in-server.ts'
import { chat, startSimulated, TOOLS, type Simulated } from './testing/simulated.ts'
import { createTokens } from './tokens.ts'

let simulated: Simulated
beforeAll(async () => {
  simulated = await startSimulated()
})
beforeEach(() => simulated.simulator.control.reset())
afterAll(() => simulated[Symbol.asyncDispose]())

describe('a failure', () => {
  test.for<[wish: string, code: string]>([
    ['script=error-frame&frame=a', 'rate_limit_exceeded'],
    ['script=error-frame&frame=b&error=inspected-output', 'content_filter'],
    ['script=error-frame&frame=c', 'rate_limit_exceeded'],
    ['script=error-frame&frame=d', 'rate_limit_exceeded'],
    ['script=error-frame&frame=d-flat', 'rate_limit_exceeded'],
    ['script=silent-close', 'upstream_truncated'],
    ['script=reset', 'upstream_truncated'],
    ['script=drop', 'upstream_truncated'],
  ])('in the middle of the answer is told: %s', async ([wish, code]) => {
    const outcome = await chat(simulated.openKeys('sk-test-1', 'sk-test-2'), `qwen-plus?${wish}`)
    const { failure, text, accounts, breaches } = outcome
    expect({ failure, breaches }).toMatchObject({ failure: { code }, breaches: [] })
    expect(text).not.toBe('')
    expect(text).not.toMatch(/quota|inappropriate/i)
    expect(accounts).toEqual(['sk-test-1'])
  })

  test.for([
    'error=rate-limit',
    'error=token-limit',
    'error=free-quota',
    'error=hour-quota',
    'error=arrearage',
    'error=invalid-key',
    'error=waf',
    'error=rate-limit&shape=sse',
    'error=rate-limit&shape=empty',
    'error=allocated-quota&shape=native',
    'error=allocated-quota&hidden=1',
    'script=error-frame&at=start',
    'script=error-frame&at=role',
    'script=error-finish',
    'script=limit-json',
    'script=html&waf=1',
  ])('of one key, before the answer, is made up for by another: %s', async wish => {
    simulated.simulator.control.script({ credential: 'sk-test-1', answers: [wish] })
    expect(await chat(simulated.openKeys('sk-test-1', 'sk-test-2'), 'qwen-plus')).toMatchObject({
      failure: undefined,
      finish: 'stop',
      accounts: ['sk-test-1', 'sk-test-2'],
    })
  })

  test('that hides its code tells the words alone', async () => {
    const { failure } = await chat(simulated.openKeys('sk-test-1'), 'qwen-plus?error=input-length&hidden=1')
    expect(failure).toMatchObject({ code: 'context_length_exceeded' })
    expect((failure as Error).message).not.toContain('InternalError')
  })

  test('of a key in the wrong place is a matter of the gateway', async () => {
    const misplaced = simulated.open({
      apiKey: 'sk-sp-1',
      plan: 'payg',
      baseUrl: simulated.simulator.baseUrls['singapore/payg'],
    })
    const { failure } = await chat(misplaced, 'qwen-plus')
    expect(failure).toMatchObject({ code: 'upstream_auth_failed', upstreamStatus: 401 })
  })
})

test('an account whose quota comes back is used again', async () => {
  const provider = simulated.openKeys('sk-test-1')
  simulated.simulator.control.setRetryAfter({ form: 'seconds' })
  simulated.simulator.control.exhaust({ credential: 'sk-test-1', error: 'hour-quota', forMs: 1000 })
  const { failure } = await chat(provider, 'qwen-plus')
  expect(failure).toMatchObject({ code: 'insufficient_quota', retryAfterMs: 1000 })
  const { until = 0 } = provider.accounts!.list()[0]!.state
  expect(until - Date.now()).toBeLessThanOrEqual(1000)
  simulated.simulator.control.restore({ credential: 'sk-test-1' })
  expect((await chat(provider, 'qwen-plus')).failure).toMatchObject({ code: 'insufficient_quota' })
  await sleep(until - Date.now())
  expect(await chat(provider, 'qwen-plus')).toMatchObject({ failure: undefined, finish: 'stop' })
})

test('embeddings come ten at a time', async () => {
  const input = Array.from({ length: 12 }, (_, at) => `text ${at}`)
  const call = { model: 'text-embedding-v4', signal: new AbortController().signal, requestId: 'req_test' }
  const { embeddings, usage } = await simulated.openKeys('sk-test-1').embeddings!(
    { model: 'e', input, dimensions: 64 },
    call,
  )
  expect(embeddings.map(({ length }) => length)).toEqual(input.map(() => 64))
  expect(usage?.prompt_tokens).toBeGreaterThan(0)
})

test('the list of models holds those that can be asked', async () => {
  const ids = (await simulated.openKeys('sk-test-1').models(new AbortController().signal)).map(({ id }) => id)
  expect(ids).toContain('qwen3-coder-plus')
  expect(ids).not.toContain('qwen-image-plus')
  simulated.simulator.control.setModelList({ error: 'no-route' })
  expect((await simulated.openKeys('sk-test-1').models(new AbortController().signal)).length).toBeGreaterThan(20)
})

const signal = new AbortController().signal
const server = (): SignInServer => ({ ...simulated, authUrl: simulated.simulator.url })

const signedIn = (path: string): Provider =>
  simulated.open({ accounts: [{ name: 'me', oauth: path, authUrl: simulated.simulator.url }] })

/** The file of a sign-in whose token the portal does not know. */
async function fileOf(name: string, refreshToken: string): Promise<string> {
  const path = join(simulated.folder, `${name}.json`)
  const credential = {
    access_token: 'at_old',
    refresh_token: refreshToken,
    token_type: 'Bearer',
    resource_url: `${simulated.simulator.url}/portal`,
  }
  await writeFile(path, JSON.stringify({ ...credential, expiry_date: Date.now() + 3_600_000 }))
  return path
}

test('a sign-in, from the first page to an answer', async () => {
  simulated.simulator.control.scriptPolls({ answers: ['pending', 'slow-down'] })
  const login = await startDeviceLogin(server(), signal)
  const pauses: number[] = []
  const credential = await pollDeviceLogin(server(), login, { signal, wait: async ms => void pauses.push(ms) })
  expect(pauses).toHaveLength(3)
  const path = join(simulated.folder, 'new.json')
  await createTokens({ ...server(), name: 'me', path, command: 'millrace login' }).store(credential)
  expect(await chat(signedIn(path), 'qwen3-coder-plus', { tools: TOOLS })).toMatchObject({
    failure: undefined,
    finish: 'stop',
  })
})

test('a sign-in whose token is refused is renewed once, however many ask', async () => {
  const { refreshToken } = simulated.simulator.control.issueTokens({ account: 'me' })
  const provider = signedIn(await fileOf('many', refreshToken))
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => chat(provider, 'qwen3-coder-plus')))
  expect(outcomes.filter(({ failure }) => failure !== undefined)).toEqual([])
  expect(simulated.simulator.state.refreshes.asked).toBe(1)
})

test('a sign-in to a portal that is closed is left out, with a word on why', async () => {
  const { refreshToken } = simulated.simulator.control.issueTokens({ account: 'me' })
  simulated.simulator.control.setTier({ closed: true })
  const provider = signedIn(await fileOf('closed', refreshToken))
  const { failure } = await chat(provider, 'qwen3-coder-plus')
  expect((failure as UpstreamError).message).toContain('ended on 2026-04-15')
  expect((await chat(provider, 'qwen3-coder-plus')).failure).toMatchObject({ code: 'upstream_auth_failed' })
  expect(simulated.simulator.state.refreshes.asked).toBe(1)
})

test('a sign-in whose refresh is refused says what mends it', async () => {
  const { failure } = await chat(signedIn(await fileOf('dead', 'rt_dead')), 'qwen3-coder-plus')
  expect((failure as UpstreamError).message).toContain('sign in again with `millrace login qwen --name me`')
})
