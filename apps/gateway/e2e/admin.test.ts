import { startQwenSimulator, type QwenSimulator } from '@millrace/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from './start-gateway.ts'

const ADMIN_KEY = 'admin-key-0123456789-0123456789-canary'
const CLIENT_KEY = 'client-key-0123456789-canary'
const ALICE_KEY = 'key-of-alice-0123456789-canary'
const [FIRST, SECOND, HERS] = ['sk-test-first-canary', 'sk-test-second-canary', 'sk-test-hers-canary']

let simulator: QwenSimulator
let gateway: RunningGateway
beforeAll(async () => {
  simulator = await startQwenSimulator()
  const baseUrl = simulator.baseUrls['singapore/payg']!
  const team = [
    { name: 'first', apiKey: FIRST, baseUrl },
    { name: 'second', apiKey: SECOND, baseUrl },
  ]
  const alice = [{ name: 'hers', apiKey: HERS, baseUrl, owner: 'alice' }]
  gateway = await startGateway({
    auth: { keys: [CLIENT_KEY, { name: 'alice', key: ALICE_KEY }] },
    admin: { key: ADMIN_KEY },
    providers: { team: { kind: 'qwen', accounts: team }, alice: { kind: 'qwen', accounts: alice } },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await simulator.close()
})

interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(path: string, key: string | undefined, { method, headers, body }: Asking = {}): Promise<Response> {
  const own = { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers }
  return fetch(`${gateway.origin}${path}`, {
    method: method ?? 'GET',
    headers: own,
    ...(body !== undefined && { body }),
  })
}

const POST = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
const post = async (path: string): Promise<unknown> => (await ask(`/admin/accounts/${path}`, ADMIN_KEY, POST)).json()

async function complete(provider: string, key: string): Promise<Response> {
  const messages = [{ role: 'user', content: 'Does the mill run?' }]
  return ask('/v1/chat/completions', key, {
    ...POST,
    body: JSON.stringify({ model: `${provider}/qwen3-coder-plus`, messages }),
  })
}

describe('the admin API', () => {
  test('lists the accounts of all providers, without their keys', async () => {
    const response = await ask('/admin/accounts', ADMIN_KEY)
    expect(response.status).toBe(200)
    const { data } = (await response.json()) as { data: readonly object[] }
    expect(data).toMatchObject([
      { provider: 'team', name: 'first' },
      { provider: 'team', name: 'second' },
      { provider: 'alice', name: 'hers' },
    ])
    expect(data[0]).toEqual({
      provider: 'team',
      name: 'first',
      state: 'ok',
      since: expect.stringMatching(/^\d{4}-.*Z$/),
      until: null,
      reason: '',
      lastUsedAt: null,
      requestsToday: 0,
    })
  })

  test('switches an account off and on, and the log tells', async () => {
    expect(await post('team/first/disable')).toMatchObject({ outcome: 'done', account: { state: 'disabled' } })
    expect(await post('team/first/probe')).toMatchObject({ outcome: 'not-tried', account: { state: 'disabled' } })
    const response = await complete('team', CLIENT_KEY)
    expect(await gateway.access(response.headers.get('x-request-id'))).toMatchObject({ account: 'second' })
    expect(await post('team/first/clear')).toMatchObject({ outcome: 'done', account: { state: 'ok' } })
    const line = await gateway.line(({ msg, to }) => msg === 'account' && to === 'disabled')
    expect(line).toMatchObject({ provider: 'team', account: 'first', from: 'ok', reason: 'switched off by hand' })
    await gateway.line(({ msg, from, to }) => msg === 'account' && from === 'disabled' && to === 'ok')
  })

  test('a probe says what came of it, and the state that follows', async () => {
    simulator.control.exhaust({ credential: FIRST })
    const spent = { outcome: 'failed', message: expect.stringMatching(/quota/i), account: { state: 'quota-exhausted' } }
    expect(await post('team/first/probe')).toMatchObject(spent)
    const line = await gateway.line(({ msg, to }) => msg === 'account' && to === 'quota-exhausted')
    expect(line).toMatchObject({ account: 'first', until: expect.stringMatching(/Z$/), reason: expect.any(String) })
    simulator.control.restore({ credential: FIRST })
    expect(await post('team/first/probe')).toMatchObject({
      outcome: 'served',
      message: '',
      account: { state: 'ok', until: null, requestsToday: 2 },
    })
  })

  test.each(['nobody/first/clear', 'team/nobody/probe'])('there is no account %s', async path => {
    const response = await ask(`/admin/accounts/${path}`, ADMIN_KEY, POST)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('There is no account') } })
  })

  test('its key is none for models', async () => {
    expect((await complete('team', ADMIN_KEY)).status).toBe(401)
    expect((await ask('/v1/models', ADMIN_KEY)).status).toBe(401)
  })

  test('no page of another origin may ask for it', async () => {
    const headers = { origin: 'https://a.example', 'access-control-request-method': 'POST' }
    const answers = [
      await ask('/admin/accounts', ADMIN_KEY, { headers }),
      await ask('/admin/accounts', undefined, { headers, method: 'OPTIONS' }),
    ]
    for (const { headers } of answers) {
      expect([...headers.keys()].filter(name => name.startsWith('access-control-'))).toEqual([])
    }
    expect((await ask('/v1/models', CLIENT_KEY, { headers })).headers.get('access-control-allow-origin')).toBe('*')
  })
})

/** What an answer shows, but for what is another each time. */
async function shown(path: string, key: string | undefined, asking?: Asking): Promise<unknown> {
  const response = await ask(path, key, asking)
  const headers = [...response.headers].filter(([name]) => !/^date$|request-id$/.test(name))
  return [response.status, headers.toSorted(), (await response.text()).replaceAll(/accounts|nothing1/g, '…')]
}

describe('without its key', () => {
  const strangers = [undefined, CLIENT_KEY, 'wrong-key', `${ADMIN_KEY}x`, '']
  test.each([
    ['', {}],
    ['', { method: 'HEAD' }],
    ['', POST],
    ['', { ...POST, body: 'no JSON' }],
    ['', { method: 'DELETE' }],
    ['/team/first/clear', POST],
    ['/team/first/clear', {}],
    ['/team/first/probe', { ...POST, headers: { 'content-type': 'text/plain' } }],
  ])('it is as any URL that there is not: /admin/accounts%s %j', async (path, asking) => {
    for (const key of strangers) {
      const unknown = await shown(`/admin/nothing1${path}`, key, asking)
      expect(await shown(`/admin/accounts${path}`, key, asking)).toEqual(unknown)
      expect(JSON.stringify(unknown)).toMatch(/^\[(?:404|415|400)/)
    }
  })

  test('an answer takes as long', async () => {
    const times = new Map<string, number[]>()
    for (let round = 0; round < 300; round++) {
      for (const path of ['accounts', 'nothing1']) {
        const begun = performance.now()
        await (await ask(`/admin/${path}`, CLIENT_KEY)).arrayBuffer()
        times.set(path, [...(times.get(path) ?? []), performance.now() - begun])
      }
    }
    const [known, unknown] = Array.from(times.values(), values => values.toSorted((a, b) => a - b)[150]!)
    expect(Math.abs(known! - unknown!)).toBeLessThan(0.3)
  })

  test('where no key is configured, no key opens it', async () => {
    await using closed = await startGateway({})
    const headers = { authorization: `Bearer ${ADMIN_KEY}` }
    expect((await fetch(`${closed.origin}/admin/accounts`, { headers })).status).toBe(404)
    expect((await fetch(`${closed.origin}/admin/accounts`)).status).toBe(404)
  })
})

describe('an account with an owner', () => {
  test('serves its owner, whose name is in the access line', async () => {
    const response = await complete('alice', ALICE_KEY)
    expect(response.status).toBe(200)
    const line = await gateway.access(response.headers.get('x-request-id'))
    expect(line).toMatchObject({ caller: 'alice', account: 'hers' })
  })

  test('serves nobody else', async () => {
    const response = await complete('alice', CLIENT_KEY)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { code: 'account_not_shared' } })
    const line = await gateway.access(response.headers.get('x-request-id'))
    expect(line).not.toHaveProperty('caller')
  })
})

test('no key is in the log', () => {
  const written = gateway.log.map(line => JSON.stringify(line)).join('\n') + gateway.errors()
  expect(written).not.toContain('canary')
})
