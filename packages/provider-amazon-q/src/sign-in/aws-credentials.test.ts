import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createAwsCredentials } from './aws-credentials.ts'
import type { Unauthorised } from './credentials.ts'

const { signal } = new AbortController()
const NOW = Date.UTC(2025, 0, 2, 3, 4, 5)
const MINUTE = 60_000
const KEY = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'EXAMPLESESSIONTOKEN',
}
const REQUEST: Unauthorised = {
  method: 'POST',
  url: new URL('https://q.us-east-1.amazonaws.com/'),
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'AmazonQDeveloperStreamingService.SendMessage',
  },
  body: Buffer.from(
    '{"conversationState":{"currentMessage":{"userInputMessage":{"content":"hi"}},"chatTriggerType":"MANUAL"},"source":"CLI"}',
  ),
}

const clockAt = (now: number) => ({ now: () => now, elapsed: () => 0 })
const open = (aws: Parameters<typeof createAwsCredentials>[0]['aws'], now = NOW) =>
  createAwsCredentials({ name: 'team', aws }, { region: 'us-east-1', clock: clockAt(now) })

/** Nothing of the machine that the tests run on. */
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-aws-'))
  for (const name of Object.keys(process.env).filter(name => name.startsWith('AWS_'))) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const writeKey = (id: string): Promise<void> =>
  writeFile(join(folder, 'credentials'), `[team]\naws_access_key_id = ${id}\naws_secret_access_key = test-secret\n`)
const keyIdIn = ({ authorization = '' }: Record<string, string>): string | undefined =>
  /Credential=(\w+)\//.exec(authorization)?.[1]

test('a request is signed as the service wants it', async () => {
  expect(await open(KEY).authorise(REQUEST, signal)).toEqual({
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250102/us-east-1/q/aws4_request, ' +
      'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, ' +
      'Signature=ad8e45ba5672664c7622333e00fb1ed57b36cb1445c09c6a93091bab5b81ef75',
    'x-amz-date': '20250102T030405Z',
    'x-amz-security-token': 'EXAMPLESESSIONTOKEN',
  })
  expect(open(KEY)).toMatchObject({ operation: 'SendMessage' })
})

test('without a session token there is no header for one, and every byte of the body counts', async () => {
  const { sessionToken: _token, ...key } = KEY
  const credentials = open(key)
  const one = await credentials.authorise(REQUEST, signal)
  const other = await credentials.authorise({ ...REQUEST, body: Buffer.from('{}') }, signal)
  expect(Object.keys(one).toSorted()).toEqual(['authorization', 'x-amz-date'])
  expect(one['authorization']).not.toBe(other['authorization'])
})

describe('a clock that is wrong', () => {
  test.for([-10, 10, 60])('by %d minutes is corrected by the date of the refusal', async minutes => {
    const credentials = open(KEY, NOW + minutes * MINUTE)
    const refused = await credentials.authorise(REQUEST, signal)
    expect(refused['x-amz-date']).not.toBe('20250102T030405Z')
    await credentials.renew!(refused, signal, new Date(NOW).toUTCString())
    expect(await credentials.authorise(REQUEST, signal)).toMatchObject({
      'x-amz-date': '20250102T030405Z',
      authorization: expect.stringContaining('ad8e45ba5672664c') as unknown,
    })
  })

  test('by less than matters is left alone, as one whose service tells no time', async () => {
    const credentials = open(KEY, NOW + MINUTE)
    for (const date of [new Date(NOW).toUTCString(), 'yesterday', undefined]) {
      await credentials.renew!({}, signal, date)
      expect((await credentials.authorise(REQUEST, signal))['x-amz-date']).toBe('20250102T030505Z')
    }
  })
})

describe('credentials from elsewhere', () => {
  test('come from the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'KEYOFENVIRONMENT')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test-secret')
    expect(keyIdIn(await open(true).authorise(REQUEST, signal))).toBe('KEYOFENVIRONMENT')
  })

  test('come from a profile, and are read again after a refusal', async () => {
    await writeKey('KEYONE')
    const credentials = open({ profile: 'team' })
    const refused = await credentials.authorise(REQUEST, signal)
    expect(keyIdIn(refused)).toBe('KEYONE')
    expect(await credentials.isRenewed!()).toBe(false)
    await writeKey('KEYTWO')
    expect(keyIdIn(await credentials.authorise(REQUEST, signal))).toBe('KEYONE')
    await credentials.renew!(refused, signal, new Date(NOW).toUTCString())
    expect(keyIdIn(await credentials.authorise(REQUEST, signal))).toBe('KEYTWO')
  })

  test('show when somebody has replaced them', async () => {
    await writeKey('KEYONE')
    const credentials = open({ profile: 'team' })
    await credentials.authorise(REQUEST, signal)
    await writeKey('KEYTWO')
    expect(await credentials.isRenewed!()).toBe(true)
  })

  test('that are not there are told of', async () => {
    const failed = open({ profile: 'team' }).authorise(REQUEST, signal)
    await expect(failed).rejects.toMatchObject({
      code: 'upstream_auth_failed',
      message: expect.stringContaining('team has no AWS credentials') as unknown,
      verdict: { state: 'auth-expired', untilMs: NOW + MINUTE },
    })
  })

  test('keep nobody waiting who has left', async () => {
    const left = AbortSignal.abort()
    await expect(open({ profile: 'team' }).authorise(REQUEST, left)).rejects.toMatchObject({ code: 'aborted' })
  })
})
