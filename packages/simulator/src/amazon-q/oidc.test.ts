import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import { askAmazonQ } from './ask-amazon-q.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'

let simulator: AmazonQSimulator
beforeEach(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.close())

const START_URL = 'https://view.awsapps.com/start'
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const SCOPES = ['codewhisperer:completions', 'codewhisperer:analysis', 'codewhisperer:conversations']

interface Registered {
  readonly clientId: string
  readonly clientSecret: string
}

interface Pair {
  readonly accessToken: string
  readonly refreshToken: string
}

function post(path: string, body: object | string, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(new URL(path, simulator.url), { method: 'POST', body: text, ...init })
}

/** How an answer comes: status, name of the exception, and what it says is wrong. */
async function seen(answer: Promise<Response>): Promise<readonly unknown[]> {
  const response = await answer
  const { error } = JSON.parse((await response.text()) || '{}') as { error?: string }
  return [response.status, response.headers.get('x-amzn-errortype'), error]
}

async function registered(): Promise<Registered> {
  const answer = await post('/client/register', { clientName: 'a mill', clientType: 'public', scopes: SCOPES })
  const { clientId, clientSecret } = (await answer.json()) as Registered
  return { clientId, clientSecret }
}

async function startDevice(client: Registered, startUrl = START_URL): Promise<{ readonly deviceCode: string }> {
  return (await (await post('/device_authorization', { ...client, startUrl })).json()) as { deviceCode: string }
}

function poll(client: Registered, deviceCode: string): Promise<Response> {
  return post('/token', { ...client, grantType: DEVICE_GRANT, deviceCode })
}

function refresh(client: Registered, refreshToken: string, init: RequestInit = {}): Promise<Response> {
  return post('/token', { ...client, grantType: 'refresh_token', refreshToken }, init)
}

async function status(token: string): Promise<number> {
  return (await askAmazonQ(simulator, '', { token })).status
}

const INVALID_CLIENT = [401, 'InvalidClientException', 'invalid_client']
const INVALID_GRANT = [400, 'InvalidGrantException', 'invalid_grant']
const INVALID_REQUEST = [400, 'InvalidRequestException', 'invalid_request']

describe('a client', () => {
  it('is registered for three months', async () => {
    simulator.control.setClock({ at: '2026-01-01T00:00:00Z' })
    const answer = await post('/client/register', { clientName: 'a mill', clientType: 'public', scopes: SCOPES })
    const issued = Date.parse('2026-01-01T00:00:00Z') / 1000
    const body = (await answer.json()) as { clientIdIssuedAt: number }
    expect(body).toMatchObject({ clientId: 'client_1', clientSecret: 'secret_of_client_1' })
    expect(body).toMatchObject({ clientSecretExpiresAt: body.clientIdIssuedAt + 90 * 86_400 })
    expect(body.clientIdIssuedAt).toBe(issued)
  })

  it.each([{}, { clientName: 'a mill' }, { clientName: '', clientType: 'public' }, '{"clientN', '"x"'])(
    'is not registered with %j',
    async body => expect(await seen(post('/client/register', body))).toEqual(INVALID_REQUEST),
  )

  it('has scopes that there are', async () => {
    const body = { clientName: 'a mill', clientType: 'public', scopes: ['mill:turn'] }
    expect(await seen(post('/client/register', body))).toEqual([400, 'InvalidScopeException', 'invalid_scope'])
  })

  it('must be known, and not expired', async () => {
    const client = await registered()
    const wrong = { ...client, clientSecret: 'other' }
    expect(await seen(post('/device_authorization', { ...wrong, startUrl: START_URL }))).toEqual(INVALID_CLIENT)
    const { deviceCode } = await startDevice(client)
    simulator.control.expireClient(client)
    expect(await seen(poll(client, deviceCode))).toEqual(INVALID_CLIENT)
    expect(await seen(refresh(client, 'any'))).toEqual(INVALID_CLIENT)
    expect((await refresh(simulator.control.registerClient(), 'any')).status).toBe(400)
  })
})

describe('a device', () => {
  it('is told where to go, and signed in at once where nothing else was scripted', async () => {
    const client = await registered()
    const uri = `${simulator.url}/device`
    const device = await startDevice(client)
    expect(device).toEqual({
      deviceCode: 'dc_1',
      userCode: expect.stringMatching(/^[A-Z]{8}$/) as string,
      verificationUri: uri,
      verificationUriComplete: expect.stringMatching(/\/device\?user_code=[A-Z]{8}$/) as string,
      expiresIn: 600,
      interval: 5,
    })
    const pair = (await (await poll(client, device.deviceCode)).json()) as Pair
    expect(pair).toEqual({
      accessToken: expect.stringMatching(/^aoa.{100,}$/) as string,
      refreshToken: expect.stringMatching(/^aor.{100,}$/) as string,
      tokenType: 'Bearer',
      expiresIn: 3600,
    })
    expect(await status(pair.accessToken)).toBe(200)
    expect(await seen(poll(client, device.deviceCode))).toEqual(INVALID_GRANT)
  })

  it('waits, is told to slow down, and is signed in', async () => {
    simulator.control.scriptPolls({ answers: ['pending', 'slow-down'] })
    const client = await registered()
    const { deviceCode } = await startDevice(client)
    expect(await seen(poll(client, deviceCode))).toEqual([
      400,
      'AuthorizationPendingException',
      'authorization_pending',
    ])
    expect(await seen(poll(client, deviceCode))).toEqual([400, 'SlowDownException', 'slow_down'])
    expect((await poll(client, deviceCode)).status).toBe(200)
    expect(simulator.state.devices).toMatchObject([{ polls: 3, state: 'signed in' }])
  })

  it('waits for somebody to open the page', async () => {
    simulator.control.scriptPolls({ answers: ['page'] })
    const client = await registered()
    const { deviceCode, verificationUriComplete } = (await startDevice(client)) as {
      deviceCode: string
      verificationUriComplete: string
    }
    expect((await poll(client, deviceCode)).status).toBe(400)
    expect((await fetch(`${simulator.url}/device?user_code=NOBODY`)).status).toBe(404)
    expect((await poll(client, deviceCode)).status).toBe(400)
    expect((await fetch(verificationUriComplete)).status).toBe(200)
    expect((await poll(client, deviceCode)).status).toBe(200)
  })

  it('expires, and is of nobody else', async () => {
    const client = await registered()
    const other = await registered()
    const { deviceCode } = await startDevice(client)
    expect(await seen(poll(other, deviceCode))).toEqual(INVALID_GRANT)
    simulator.control.advanceClock({ ms: 600_000 })
    expect(await seen(poll(client, deviceCode))).toEqual([400, 'ExpiredTokenException', 'expired_token'])
    expect(await seen(poll(client, deviceCode))).toEqual(INVALID_GRANT)
  })

  it('signs in a user of the organisation whose URL it names', async () => {
    const client = await registered()
    const tokenOf = async (startUrl: string): Promise<string> => {
      const { deviceCode } = await startDevice(client, startUrl)
      return ((await (await poll(client, deviceCode)).json()) as Pair).accessToken
    }
    const profileArn = 'arn:aws:codewhisperer:us-east-1:123456789012:profile/SIMULATED001'
    const seen = async (startUrl: string): Promise<number> =>
      (await askAmazonQ(simulator, '', { token: await tokenOf(startUrl), members: { profileArn } })).status
    expect(await seen('https://d-0000000000.awsapps.com/start')).toBe(200)
    expect(await seen(START_URL)).toBe(400)
  })

  it.each(
    POLL_NAMES.filter(
      name =>
        !['page', 'success', 'hang', 'reset', 'drop', 'html', 'cut', 'empty', 'json', 'gateway-timeout'].includes(name),
    ),
  )('may get %s', async name => {
    const client = await registered()
    simulator.control.scriptPolls({ answers: [name] })
    const { deviceCode } = await startDevice(client)
    expect((await poll(client, deviceCode)).status).toBeGreaterThanOrEqual(400)
  })
})

describe('a refresh', () => {
  it('gives a new pair in place of the old one, which is worth nothing then', async () => {
    const client = await registered()
    const old = simulator.control.issueTokens({ account: 'pro-1' })
    expect(await status(old.accessToken)).toBe(200)
    const fresh = (await (await refresh(client, old.refreshToken)).json()) as Pair
    expect(fresh.refreshToken).not.toBe(old.refreshToken)
    expect([await status(old.accessToken), await status(fresh.accessToken)]).toEqual([403, 200])
    expect(await seen(refresh(client, old.refreshToken))).toEqual(INVALID_GRANT)
    expect((await refresh(client, fresh.refreshToken)).status).toBe(200)
    expect(simulator.state.refreshes).toMatchObject({ asked: 3, done: 2, openAtMost: 1 })
    expect(simulator.state.accounts['pro-1']!.used.day!.count).toBe(2)
  })

  it('leaves the refresh token out where that is wanted, and it stays good', async () => {
    simulator.control.setSignIn({ refreshOmits: ['refreshToken'] })
    const client = await registered()
    const { refreshToken } = simulator.control.issueTokens({ account: 'pro-1' })
    expect(await (await refresh(client, refreshToken)).json()).not.toHaveProperty('refreshToken')
    expect((await refresh(client, refreshToken)).status).toBe(200)
  })

  it('is needed when an access token has come to its end', async () => {
    const { accessToken, refreshToken } = simulator.control.issueTokens({ account: 'builder-1', expiresIn: 60 })
    expect(await status(accessToken)).toBe(200)
    simulator.control.advanceClock({ ms: 60_000 })
    expect(await status(accessToken)).toBe(403)
    simulator.control.expireToken({ token: refreshToken })
    expect(await seen(refresh(await registered(), refreshToken))).toEqual(INVALID_GRANT)
  })

  it('takes its time, and is counted while it does', async () => {
    const client = await registered()
    const { refreshToken } = simulator.control.issueTokens({ account: 'builder-1' })
    simulator.control.setSignIn({ refreshDelayMs: 30 })
    const answer = refresh(client, refreshToken)
    await simulator.when(({ refreshes }) => refreshes.open === 1)
    expect((await answer).status).toBe(200)
    await simulator.when(({ refreshes }) => refreshes.open === 0)
  })

  it('may never be answered', async () => {
    simulator.control.scriptRefreshes({ answers: ['hang'] })
    const leaving = new AbortController()
    const answer = refresh(await registered(), 'any', { signal: leaving.signal })
    await simulator.when(({ refreshes }) => refreshes.open === 1)
    leaving.abort()
    await expect(answer).rejects.toThrow('abort')
    await simulator.when(({ refreshes }) => refreshes.open === 0)
  })

  it('may end in a reset', async () => {
    simulator.control.scriptRefreshes({ answers: ['reset'] })
    await expect(refresh(await registered(), 'any')).rejects.toThrow('fetch failed')
  })

  it.each(REFRESH_NAMES.filter(name => !['ok', 'hang', 'reset', 'drop'].includes(name)))('may get %s', async name => {
    const client = await registered()
    const { refreshToken } = simulator.control.issueTokens({ account: 'builder-1' })
    simulator.control.scriptRefreshes({ answers: [name] })
    const text = await (await refresh(client, refreshToken)).text()
    expect(text).not.toContain('refreshToken')
    expect((await refresh(client, refreshToken)).status).toBe(200)
  })

  it('of Kiro knows no clients, and tells the profile', async () => {
    const { refreshToken } = simulator.control.issueTokens({ account: 'social-1' })
    const fresh = (await (await post('/refreshToken', { refreshToken })).json()) as Pair & { profileArn: string }
    expect(Object.keys(fresh).toSorted()).toEqual(['accessToken', 'expiresIn', 'profileArn', 'refreshToken'])
    const { accessToken: token, profileArn } = fresh
    expect((await askAmazonQ(simulator, '', { token, members: { profileArn } })).status).toBe(200)
    expect((await post('/refreshToken', { refreshToken })).status).toBe(401)
  })
})
