import { createHash } from 'node:crypto'
import { LoginError, UpstreamError } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { pollDeviceLogin, startDeviceLogin, type DeviceLogin } from './device-login.ts'
import {
  createScriptedUpstream,
  formOf,
  inTurn,
  type Answer,
  type ScriptedUpstream,
} from './testing/scripted-upstream.ts'
import type { SignInServer } from './sign-in-server.ts'

const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 }
const signal = new AbortController().signal

const STARTED = {
  device_code: 'dc_7Qm2',
  user_code: 'ABCDEFGH',
  verification_uri: 'https://chat.qwen.ai/authorize',
  verification_uri_complete: 'https://chat.qwen.ai/authorize?user_code=ABCDEFGH&client=qwen-code',
  expires_in: 900,
}
const GRANTED = {
  access_token: 'at_1',
  refresh_token: 'rt_1',
  token_type: 'Bearer',
  expires_in: 3600,
  resource_url: 'portal.qwen.ai',
}
const LOGIN: DeviceLogin = {
  verificationUrl: STARTED.verification_uri_complete,
  userCode: 'ABCDEFGH',
  expiresInMs: 60_000,
  intervalMs: 5000,
  deviceCode: 'dc_7Qm2',
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
}
const PAGE = '<html><body>Gateway timeout</body></html>'

const error = (code: string, status = 400): Answer => ({ status, body: { error: code, error_description: 'in words' } })
const server = (upstream: ScriptedUpstream): SignInServer => ({ upstream, timeouts: TIMEOUTS })

/** What comes of a poll that is answered like this, and the pauses before each. */
async function poll(upstream: ScriptedUpstream, login = LOGIN): Promise<{ outcome: unknown; pauses: number[] }> {
  const pauses: number[] = []
  const wait = async (ms: number): Promise<void> => void pauses.push(ms)
  const outcome = await pollDeviceLogin(server(upstream), login, { signal, wait }).catch((error: unknown) => error)
  return { outcome, pauses }
}

describe('the beginning', () => {
  test('is as the server wants it', async () => {
    const upstream = inTurn({ body: STARTED })
    const login = await startDeviceLogin(server(upstream), signal)
    expect(login).toEqual({
      verificationUrl: STARTED.verification_uri_complete,
      userCode: 'ABCDEFGH',
      expiresInMs: 900_000,
      intervalMs: 5000,
      deviceCode: 'dc_7Qm2',
      verifier: expect.stringMatching(/^[\w-]{43}$/),
    })
    const [asked] = upstream.asked
    expect(asked).toMatchObject({ method: 'POST', confidential: true })
    expect(asked?.url.href).toBe('https://chat.qwen.ai/api/v1/oauth2/device/code')
    expect(asked?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': expect.stringMatching(/^Millrace\//),
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(asked?.body?.toString()).toContain('scope=openid%20profile%20email%20model.completion')
    expect(formOf(asked!)).toEqual({
      client_id: 'f0304373b74a44d2b584a3fb70ca9e56',
      scope: 'openid profile email model.completion',
      code_challenge: createHash('sha256').update(login.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
  })

  test('takes the interval that the server names, and does without what it leaves out', async () => {
    const { device_code, verification_uri } = STARTED
    const upstream = inTurn({ body: { device_code, verification_uri, interval: 2 } })
    const started = await startDeviceLogin({ ...server(upstream), authUrl: 'http://localhost:1/' }, signal)
    expect(started).toMatchObject({
      verificationUrl: verification_uri,
      userCode: '',
      expiresInMs: 600_000,
      intervalMs: 2000,
    })
    expect(upstream.asked[0]?.url.href).toBe('http://localhost:1/api/v1/oauth2/device/code')
  })

  test.for<[string, Answer]>([
    ['a refusal', error('invalid_request')],
    ['a refusal with status 200', error('invalid_request', 200)],
    ['a page', { status: 200, body: PAGE }],
    ['nothing', { status: 500, body: '' }],
  ])('comes to nothing with %s', async ([, answer]) => {
    const started = startDeviceLogin(server(inTurn(answer)), signal)
    await expect(started).rejects.toThrow(LoginError)
    await expect(started).rejects.not.toThrow(/[<>]/)
  })
})

describe('the polling', () => {
  test('slows down when told, and outlasts what passes', async () => {
    const upstream = inTurn(
      error('authorization_pending'),
      error('slow_down', 429),
      { status: 504, body: PAGE },
      error('slow_down'),
      { body: GRANTED },
    )
    const { outcome, pauses } = await poll(upstream)
    expect(outcome).toMatchObject({ accessToken: 'at_1', refreshToken: 'rt_1', resourceUrl: 'portal.qwen.ai' })
    expect(pauses).toEqual([5000, 5000, 7500, 7500, 10_000])
    expect(formOf(upstream.asked[0]!)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'f0304373b74a44d2b584a3fb70ca9e56',
      device_code: 'dc_7Qm2',
      code_verifier: LOGIN.verifier,
    })
  })

  test.for<[string, Answer]>([
    ['a token that is null', { body: { access_token: null, refresh_token: null } }],
    ['a status', { body: { status: 'pending' } }],
    ['nothing', { body: '' }],
    ['a page with status 200', { body: PAGE }],
    ['a page with status 403', { status: 403, body: PAGE }],
    ['a fault of the server', { status: 500, body: { error: 'server_error' } }],
  ])('goes on after %s', async ([, answer]) => {
    expect((await poll(inTurn(answer, { body: GRANTED }))).outcome).toMatchObject({ accessToken: 'at_1' })
  })

  test('goes on after a broken connection', async () => {
    const upstream = createScriptedUpstream((_request, before) => {
      if (before === 0) throw new UpstreamError('connect_failed', 'No connection.')
      return { body: GRANTED }
    })
    expect((await poll(upstream)).outcome).toMatchObject({ accessToken: 'at_1' })
  })

  test.for<[string, Answer, RegExp]>([
    ['a code that is overdue', error('expired_token'), /not approved in time/],
    ['a code that is not known', { status: 401, body: '' }, /not approved in time/],
    ['a person who refuses', error('access_denied'), /refused/],
    ['anything else', error('invalid_client'), /invalid_client: in words/],
  ])('ends with %s', async ([, answer, message]) => {
    const { outcome, pauses } = await poll(inTurn(answer))
    expect(outcome).toBeInstanceOf(LoginError)
    expect((outcome as Error).message).toMatch(message)
    expect(pauses).toEqual([5000])
  })

  test('gives a rate limit one chance', async () => {
    const limited: Answer = { status: 429, body: '' }
    const told = { ...limited, headers: { 'retry-after': '20' } }
    expect(await poll(inTurn(limited, { body: GRANTED }), { ...LOGIN, expiresInMs: 900_000 })).toMatchObject({
      outcome: { accessToken: 'at_1' },
      pauses: [5000, 60_000],
    })
    expect((await poll(inTurn(told, { body: GRANTED }))).pauses).toEqual([5000, 20_000])
    const { outcome } = await poll(inTurn(limited, limited), { ...LOGIN, expiresInMs: 900_000 })
    expect((outcome as Error).message).toMatch(/limits the rate/)
  })

  test('ends when the time is over', async () => {
    const { outcome, pauses } = await poll(inTurn(error('authorization_pending')))
    expect((outcome as Error).message).toMatch(/not approved in time/)
    expect(pauses).toHaveLength(12)
  })

  test('ends with its signal', async () => {
    const leaving = new AbortController()
    const polled = pollDeviceLogin(server(inTurn(error('authorization_pending'))), LOGIN, { signal: leaving.signal })
    leaving.abort(new Error('enough'))
    await expect(polled).rejects.toThrow('enough')
  })
})
