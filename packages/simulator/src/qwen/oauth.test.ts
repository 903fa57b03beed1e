import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askQwen, faultOf, postControl, postForm } from './ask-qwen.ts'
import { CLIENT_ID } from './oauth.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

let simulator: QwenSimulator
beforeEach(async () => {
  simulator = await startQwenSimulator()
})
afterEach(() => simulator.close())

/** The pair that is published as a test vector. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const SCOPE = 'openid profile email model.completion'
const START = {
  client_id: CLIENT_ID,
  scope: SCOPE,
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
}

interface Grant {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
}

async function startDevice(): Promise<Grant> {
  return (await (await postForm(simulator, 'device/code', START)).json()) as Grant
}

function poll(device_code: string, other: Readonly<Record<string, string>> = {}): Promise<Response> {
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  return postForm(simulator, 'token', {
    grant_type,
    client_id: CLIENT_ID,
    device_code,
    code_verifier: VERIFIER,
    ...other,
  })
}

function refresh(refresh_token: string, init: RequestInit = {}): Promise<Response> {
  return postForm(simulator, 'token', { grant_type: 'refresh_token', refresh_token, client_id: CLIENT_ID }, init)
}

/** How an answer comes: status, and body as it is. */
async function seen(answer: Promise<Response>): Promise<readonly [number, string]> {
  const response = await answer
  return [response.status, await response.text()]
}

const SYSTEM_FIRST = {
  messages: [
    { role: 'system', content: '' },
    { role: 'user', content: 'Hi' },
  ],
}

async function chatStatus(key: string): Promise<number> {
  return (await askQwen(simulator, 'qwen3-coder-plus', { site: 'portal', key, members: SYSTEM_FIRST })).status
}

const match = (pattern: RegExp): string => expect.stringMatching(pattern) as string

describe('a device code', () => {
  it('is given with all that goes with it', async () => {
    const uri = `${simulator.url}/authorize`
    expect(await startDevice()).toEqual({
      device_code: 'dc_1',
      user_code: expect.stringMatching(/^[A-Z]{8}$/) as string,
      verification_uri: uri,
      verification_uri_complete: expect.stringMatching(/\?user_code=[A-Z]{8}&client=qwen-code$/) as string,
      expires_in: 900,
    })
    simulator.control.setSignIn({ interval: 2, deviceExpiresIn: 60, verificationUri: 'https://chat.qwen.ai/authorize' })
    expect(await startDevice()).toMatchObject({
      device_code: 'dc_2',
      interval: 2,
      expires_in: 60,
      verification_uri: 'https://chat.qwen.ai/authorize',
    })
  })

  it.each([
    ['client_id', 'other'],
    ['scope', 'openid'],
    ['code_challenge_method', 'plain'],
    ['code_challenge', 'short'],
  ])('is refused where %s is %j', async (name, value) => {
    expect(await seen(postForm(simulator, 'device/code', { ...START, [name]: value }))).toEqual([
      400,
      `{"error":"invalid_request","error_description":"${name} is missing or wrong"}`,
    ])
  })

  it('takes forms only, with blanks written either way, by clients that say who they are', async () => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(START) }
    expect((await postForm(simulator, 'device/code', {}, json)).status).toBe(400)
    const form = new URLSearchParams(START).toString().replaceAll('+', '%20')
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await postForm(simulator, 'device/code', {}, { headers, body: form })).status).toBe(200)

    const nameless = await new Promise<number>(resolve => {
      const sent = request(new URL('/api/v1/oauth2/device/code', simulator.url), { method: 'POST', headers })
      sent.on('response', response => resolve(response.resume().statusCode!))
      sent.end(form)
    })
    expect(nameless).toBe(403)
  })

  it('is one of the sign-in host too, by prefix and by name', async () => {
    const url = `${simulator.url}/auth/api/v1/oauth2/device/code`
    expect((await fetch(url, { method: 'POST', body: new URLSearchParams(START) })).status).toBe(200)
  })
})

describe('polls', () => {
  it('give tokens at once where nothing else is scripted', async () => {
    const { device_code, user_code } = await startDevice()
    expect(await (await poll(device_code)).json()).toEqual({
      access_token: 'at_1',
      refresh_token: 'rt_1',
      token_type: 'Bearer',
      expires_in: 3600,
      scope: SCOPE,
      resource_url: simulator.baseUrls['portal'],
    })
    expect(await chatStatus('at_1')).toBe(200)
    expect((await poll(device_code)).status).toBe(401)
    expect(simulator.state.devices).toMatchObject([{ polls: 1, state: 'signed in' }])
    expect(simulator.state.tokens).toMatchObject([{ accessToken: 'at_1', account: `account-${user_code}` }])
  })

  it.each([
    ['pending', 400, '{"error":"authorization_pending","error_description":"pending"}'],
    ['pending-null', 200, /^\{"access_token":null/],
    ['pending-status', 200, '{"status":"pending"}'],
    ['slow-down', 429, '{"error":"slow_down","error_description":"polling too fast"}'],
    ['slow-down-400', 400, '{"error":"slow_down"}'],
    ['error-200', 200, '{"error":"authorization_pending"}'],
    ['server-error', 500, /server_error/],
    ['gateway-timeout', 504, /<html>/],
    ['waf', 200, /aliyun_waf_/],
    ['waf-403', 403, /aliyun_waf_/],
    ['rate-limited', 429, /too_many_requests/],
    ['empty', 200, ''],
  ] as const)('may get %s first', async (answer, status, body) => {
    simulator.control.scriptPolls({ answers: [answer] })
    const { device_code } = await startDevice()
    expect(await seen(poll(device_code))).toEqual([status, typeof body === 'string' ? body : match(body)])
    expect((await poll(device_code)).status).toBe(200)
    expect(simulator.state.devices[0]!.state).toBe('signed in')
  })

  it.each([
    ['expired', 400, 'expired_token'],
    ['denied', 400, 'access_denied'],
    ['unauthorized', 401, 'invalid_grant'],
  ] as const)('may end with %s', async (answer, status, error) => {
    const { device_code } = await startDevice()
    simulator.control.scriptPolls({ deviceCode: device_code, answers: [answer] })
    const response = await poll(device_code)
    expect([response.status, await response.json()]).toMatchObject([status, { error }])
    expect((await poll(device_code)).status).toBe(401)
  })

  it('may lose their connection', async () => {
    simulator.control.scriptPolls({ answers: ['reset'] })
    const { device_code } = await startDevice()
    await expect(poll(device_code)).rejects.toThrow('fetch failed')
    expect((await poll(device_code)).status).toBe(200)
  })

  it('may wait until somebody opens the page, the whole address of it', async () => {
    simulator.control.scriptPolls({ answers: ['page'] })
    const { device_code, verification_uri_complete: page } = await startDevice()
    expect((await poll(device_code)).status).toBe(400)
    const [status, text] = await seen(fetch(page.replace(/&client=.*/, '')))
    expect([status, text]).toEqual([400, expect.stringContaining('user_code or client is null')])
    expect((await poll(device_code)).status).toBe(400)
    expect((await fetch(page)).status).toBe(200)
    expect((await poll(device_code)).status).toBe(200)
  })

  it('are refused with another verifier, client or code', async () => {
    const { device_code } = await startDevice()
    expect(await seen(poll(device_code, { code_verifier: 'other' }))).toEqual([
      400,
      expect.stringContaining('invalid_grant'),
    ])
    expect((await poll(device_code, { client_id: 'other' })).status).toBe(400)
    expect((await poll('dc_other')).status).toBe(401)
    expect((await poll(device_code, { grant_type: 'password' })).status).toBe(400)
    expect((await poll(device_code)).status).toBe(200)
  })

  it('come too late when the clock says so', async () => {
    const { device_code } = await startDevice()
    simulator.control.advanceClock({ ms: 900_000 })
    expect(await seen(poll(device_code))).toEqual([400, expect.stringContaining('expired_token')])
  })

  it('have all answers that can be named tried here', () => {
    const tried = ['pending', 'pending-null', 'pending-status', 'slow-down', 'slow-down-400', 'error-200', 'page']
    const shared = [
      'server-error',
      'gateway-timeout',
      'waf',
      'waf-403',
      'rate-limited',
      'empty',
      'reset',
      'unauthorized',
    ]
    expect([...POLL_NAMES].toSorted()).toEqual([...tried, ...shared, 'expired', 'denied', 'success', 'hang'].toSorted())
    expect([...REFRESH_NAMES].toSorted()).toEqual([...shared, 'invalid', 'error-200', 'ok', 'hang'].toSorted())
  })
})

describe('a refresh', () => {
  beforeEach(() => void simulator.control.issueTokens({ account: 'team' }))

  it('gives a new pair; of the old one nothing is left', async () => {
    expect(await (await refresh('rt_1')).json()).toEqual({
      access_token: 'at_2',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'rt_2',
      resource_url: simulator.baseUrls['portal'],
    })
    expect([await chatStatus('at_1'), await chatStatus('at_2')]).toEqual([401, 200])
    expect(await seen(refresh('rt_1'))).toEqual([
      400,
      '{"error":"invalid_request","error_description":"Invalid refresh token or client_id"}',
    ])
    expect(simulator.state.refreshes).toMatchObject({ asked: 2, done: 1, open: 0 })
    expect(simulator.state.tokens.map(token => token.account)).toEqual(['team', 'team'])
  })

  it('may leave members out; the refresh token stays good then', async () => {
    simulator.control.setSignIn({ refreshOmits: ['refresh_token', 'resource_url'] })
    expect(Object.keys((await (await refresh('rt_1')).json()) as object)).toEqual([
      'access_token',
      'token_type',
      'expires_in',
    ])
    expect(await (await refresh('rt_1')).json()).toMatchObject({ access_token: 'at_3' })
    expect([await chatStatus('at_2'), await chatStatus('at_3')]).toEqual([401, 200])
  })

  it.each([
    ['server-error', 500, /server_error/],
    ['gateway-timeout', 504, /<html>/],
    ['waf', 200, /aliyun_waf_/],
    ['waf-403', 403, /aliyun_waf_/],
    ['rate-limited', 429, /too_many_requests/],
    ['unauthorized', 401, /invalid_grant/],
    ['invalid', 400, /Invalid refresh token or client_id/],
    ['error-200', 200, /^\{"error":"invalid_grant"/],
    ['empty', 200, /^$/],
  ] as const)('may get %s, and changes nothing then', async (answer, status, body) => {
    simulator.control.scriptRefreshes({ answers: [answer] })
    expect(await seen(refresh('rt_1'))).toEqual([status, match(body)])
    expect(await chatStatus('at_1')).toBe(200)
    expect((await refresh('rt_1')).status).toBe(200)
  })

  it('may take its time; of several at once only one is good', async () => {
    simulator.control.setSignIn({ refreshDelayMs: 40 })
    const began = performance.now()
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await refresh('rt_1')).status))
    expect(performance.now() - began).toBeGreaterThan(38)
    expect(statuses.toSorted()).toEqual([200, 400, 400, 400, 400])
    await simulator.when(({ refreshes }) => refreshes.open === 0)
    expect(simulator.state.refreshes).toEqual({ asked: 5, done: 1, open: 0, openAtMost: 5 })
  })

  it('changes nothing when the client leaves before the answer', async () => {
    simulator.control.setSignIn({ refreshDelayMs: 60_000 })
    const controller = new AbortController()
    const asked = refresh('rt_1', { signal: controller.signal })
    await simulator.when(({ refreshes }) => refreshes.open === 1)
    controller.abort()
    await expect(asked).rejects.toThrow(/aborted/)
    await simulator.when(({ refreshes }) => refreshes.open === 0)
    simulator.control.setSignIn({ refreshDelayMs: 0 })
    expect((await refresh('rt_1')).status).toBe(200)
  })

  it('may hang, until the client leaves or the simulator closes', async () => {
    simulator.control.scriptRefreshes({ answers: ['hang', 'hang'] })
    const controller = new AbortController()
    const asked = [refresh('rt_1', { signal: controller.signal }), refresh('rt_1')]
    await simulator.when(({ refreshes }) => refreshes.open === 2)
    controller.abort()
    await expect(asked[0]).rejects.toThrow(/aborted/)
    await simulator.when(({ refreshes }) => refreshes.open === 1)
    await Promise.all([simulator.close(), expect(asked[1]).rejects.toThrow('fetch failed')])
  })

  it('may lose its connection', async () => {
    simulator.control.scriptRefreshes({ answers: ['reset'] })
    await expect(refresh('rt_1')).rejects.toThrow('fetch failed')
  })
})

describe('tokens', () => {
  it('end with the clock, or when they are told to', async () => {
    simulator.control.issueTokens({ account: 'team', expiresIn: 60, accessToken: 'at_team', refreshToken: 'rt_team' })
    expect(await chatStatus('at_team')).toBe(200)
    simulator.control.advanceClock({ ms: 60_000 })
    expect(await chatStatus('at_team')).toBe(401)
    await refresh('rt_team')
    expect(await chatStatus('at_2')).toBe(200)
    await postControl(simulator, { expireToken: [{ token: 'at_2' }, { token: 'rt_2' }] })
    expect([await chatStatus('at_2'), (await refresh('rt_2')).status]).toEqual([401, 400])
  })
})

describe('example 9.6', () => {
  it('comes byte for byte', async () => {
    simulator.control.setSignIn({
      deviceCode: 'dc_7Qm2',
      userCode: 'ABCDEFGH',
      verificationUri: 'https://chat.qwen.ai/authorize',
      resourceUrl: 'portal.qwen.ai',
      refreshOmits: ['resource_url'],
    })
    simulator.control.scriptPolls({ answers: ['pending', 'slow-down', 'gateway-timeout', 'slow-down-400'] })
    expect(await seen(postForm(simulator, 'device/code', START))).toEqual([
      200,
      '{"device_code":"dc_7Qm2","user_code":"ABCDEFGH","verification_uri":"https://chat.qwen.ai/authorize","verification_uri_complete":"https://chat.qwen.ai/authorize?user_code=ABCDEFGH&client=qwen-code","expires_in":900}',
    ])
    const polls: (readonly [number, string])[] = []
    for (let count = 0; count < 5; count++) polls.push(await seen(poll('dc_7Qm2')))
    expect(polls).toEqual([
      [400, '{"error":"authorization_pending","error_description":"pending"}'],
      [429, '{"error":"slow_down","error_description":"polling too fast"}'],
      [504, expect.stringContaining('<html>')],
      [400, '{"error":"slow_down"}'],
      [
        200,
        '{"access_token":"at_1","refresh_token":"rt_1","token_type":"Bearer","expires_in":3600,"scope":"openid profile email model.completion","resource_url":"portal.qwen.ai"}',
      ],
    ])
    simulator.control.expireToken({ token: 'at_1' })
    const refused = await askQwen(simulator, 'qwen3-coder-plus', { site: 'portal', key: 'at_1' })
    expect(faultOf(refused)).toEqual([401, 'invalid_api_key', 'invalid access token or token expired'])
    expect(await seen(refresh('rt_1'))).toEqual([
      200,
      '{"access_token":"at_2","token_type":"Bearer","expires_in":3600,"refresh_token":"rt_2"}',
    ])
    expect(await chatStatus('at_2')).toBe(200)
    simulator.control.setTier({ closed: true })
    expect(await chatStatus('at_2')).toBe(401)
    expect(await seen(refresh('rt_1'))).toEqual([
      400,
      '{"error":"invalid_request","error_description":"Invalid refresh token or client_id"}',
    ])
  })
})
