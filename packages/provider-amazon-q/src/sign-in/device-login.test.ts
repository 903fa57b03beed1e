import { LoginError } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { pollDeviceLogin, startDeviceLogin, type DeviceLogin } from './device-login.ts'
import { grant, inTurn, refusal, startSignInServer, type Answer, type Script } from './testing/sign-in-server.ts'

const { signal } = new AbortController()
const PLACE = { startUrl: 'https://view.awsapps.com/start', region: 'us-east-1' }
const KNOWN = { clientId: 'client-known', clientSecret: 'secret-known', expiresAt: Date.now() + 3_600_000 }
const LOGIN: DeviceLogin = {
  ...PLACE,
  verificationUrl: 'https://view.awsapps.com/start/#/device?user_code=ABCD-EFGH',
  userCode: 'ABCD-EFGH',
  expiresInMs: 60_000,
  intervalMs: 5000,
  deviceCode: 'device-test',
  registration: KNOWN,
}
const REGISTERED: Answer = {
  body: { clientId: 'client-test', clientSecret: 'secret-test', clientSecretExpiresAt: 1_757_776_000 },
}
const AUTHORIZED: Answer = {
  body: {
    deviceCode: 'device-test',
    userCode: 'ABCD-EFGH',
    verificationUri: 'https://view.awsapps.com/start/#/device',
    verificationUriComplete: LOGIN.verificationUrl,
    expiresIn: 300,
    interval: 2,
  },
}

async function start(script: Script, known?: typeof KNOWN) {
  await using server = await startSignInServer(script)
  const outcome = await startDeviceLogin(server, PLACE, { known, signal }).catch((error: unknown) => error as Error)
  return { outcome, asked: server.asked }
}

/** A server that has forgotten all registrations but the one that it gives now. */
const knowsOnlyNew: Script = ({ path, json }) => {
  if (path === '/client/register') return REGISTERED
  return json['clientId'] === 'client-known' ? refusal('invalid_client', 401) : AUTHORIZED
}

/** What comes of a poll that is answered like this, and the pauses before each. */
async function poll(script: Script, login = LOGIN) {
  await using server = await startSignInServer(script)
  const pauses: number[] = []
  const wait = async (ms: number): Promise<void> => void pauses.push(ms)
  const outcome = await pollDeviceLogin(server, login, { signal, wait }).catch((error: unknown) => error as Error)
  return { outcome, pauses, asked: server.asked }
}

describe('the beginning', () => {
  test('registers the gateway, and asks for a code', async () => {
    const { outcome, asked } = await start(inTurn(REGISTERED, AUTHORIZED))
    expect(outcome).toEqual({
      ...LOGIN,
      expiresInMs: 300_000,
      intervalMs: 2000,
      registration: { clientId: 'client-test', clientSecret: 'secret-test', expiresAt: 1_757_776_000_000 },
    })
    expect(asked.map(({ path, json }) => [path, json])).toEqual([
      [
        '/client/register',
        {
          clientName: 'Millrace',
          clientType: 'public',
          scopes: ['codewhisperer:completions', 'codewhisperer:analysis', 'codewhisperer:conversations'],
        },
      ],
      [
        '/device_authorization',
        { clientId: 'client-test', clientSecret: 'secret-test', startUrl: 'https://view.awsapps.com/start' },
      ],
    ])
  })

  test('does without what the server leaves out', async () => {
    const { deviceCode, verificationUri } = AUTHORIZED.body as Record<string, string>
    const { outcome } = await start(inTurn(REGISTERED, { body: { deviceCode, verificationUri } }))
    expect(outcome).toMatchObject({
      verificationUrl: verificationUri,
      userCode: '',
      expiresInMs: 600_000,
      intervalMs: 5000,
    })
  })

  test('uses the registration of the last time', async () => {
    const { outcome, asked } = await start(inTurn(AUTHORIZED), KNOWN)
    expect(outcome).toMatchObject({ registration: KNOWN })
    expect(asked.map(({ path }) => path)).toEqual(['/device_authorization'])
  })

  test.for<[string, typeof KNOWN, readonly string[]]>([
    ['has expired', { ...KNOWN, expiresAt: Date.now() + 50_000 }, []],
    ['is forgotten', KNOWN, ['/device_authorization']],
  ])('registers anew where that %s', async ([, known, before]) => {
    const { outcome, asked } = await start(knowsOnlyNew, known)
    expect(outcome).toMatchObject({ registration: { clientId: 'client-test' } })
    expect(asked.map(({ path }) => path)).toEqual([...before, '/client/register', '/device_authorization'])
  })

  test.for<[string, Answer]>([
    ['a refusal', refusal('invalid_request', 400, 'Invalid start url provided')],
    ['a page', { status: 403, body: '<html>secret-test</html>' }],
    ['nothing', { body: '' }],
  ])('comes to nothing with %s', async ([, answer]) => {
    for (const script of [inTurn(answer), inTurn(REGISTERED, answer)]) {
      const { outcome } = await start(script)
      expect(outcome).toBeInstanceOf(LoginError)
      expect((outcome as Error).message).not.toMatch(/[<>]|secret/)
    }
  })
})

describe('the polling', () => {
  test('slows down when told, and outlasts what passes', async () => {
    const { outcome, pauses, asked } = await poll(
      inTurn(
        refusal('authorization_pending'),
        refusal('slow_down'),
        { status: 504, body: '<html>late</html>' },
        refusal('internal_server_error', 500),
        refusal('slow_down'),
        grant(1),
      ),
      { ...LOGIN, expiresInMs: 600_000 },
    )
    expect(outcome).toMatchObject({
      accessToken: 'aoa-test-1',
      refreshToken: 'aor-test-1',
      method: 'IdC',
      ...PLACE,
      registration: KNOWN,
    })
    expect(pauses).toEqual([5000, 5000, 10_000, 10_000, 10_000, 15_000])
    expect(asked[0]).toMatchObject({
      path: '/token',
      json: {
        clientId: 'client-known',
        clientSecret: 'secret-known',
        grantType: 'urn:ietf:params:oauth:grant-type:device_code',
        deviceCode: 'device-test',
      },
    })
  })

  test('goes on after a broken connection', async () => {
    const { outcome } = await poll((_asked, before) => (before === 0 ? 'hang-up' : grant(1)))
    expect(outcome).toMatchObject({ accessToken: 'aoa-test-1' })
  })

  test.for<[string, Answer, RegExp]>([
    ['a code that is overdue', refusal('expired_token'), /not approved in time/],
    ['a person who refuses', refusal('access_denied'), /was refused/],
    ['a code that is not known', refusal('invalid_grant'), /invalid_grant: in words/],
    [
      'anything else',
      refusal('invalid_client', 401, 'secret-known device-test'),
      /invalid_client: \[masked\] \[masked\]/,
    ],
    ['an answer without a token', { body: {} }, /without a token/],
  ])('ends with %s', async ([, answer, message]) => {
    const { outcome, pauses } = await poll(inTurn(answer))
    expect(outcome).toBeInstanceOf(LoginError)
    expect((outcome as Error).message).toMatch(message)
    expect(pauses).toEqual([5000])
  })

  test('ends when the time is over', async () => {
    const { outcome, pauses } = await poll(inTurn(refusal('authorization_pending')))
    expect((outcome as Error).message).toMatch(/not approved in time/)
    expect(pauses).toHaveLength(12)
  })

  test('ends with its signal', async () => {
    await using server = await startSignInServer(inTurn(refusal('authorization_pending')))
    const leaving = new AbortController()
    const polled = pollDeviceLogin(server, LOGIN, { signal: leaving.signal })
    leaving.abort(new Error('enough'))
    await expect(polled).rejects.toThrow('enough')
  })
})
