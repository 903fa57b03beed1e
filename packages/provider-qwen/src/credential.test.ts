import { expect, test } from 'vitest'
import { parseCredential, toCredential, toMembers } from './credential.ts'

const FILE = {
  access_token: 'at_1',
  refresh_token: 'rt_1',
  token_type: 'Bearer',
  resource_url: 'portal.qwen.ai',
  expiry_date: 1_780_003_600_000,
}
const NOW = 1_780_000_000_000

test('a file of the official client comes out as it went in', () => {
  expect(JSON.stringify(toMembers(parseCredential(FILE)))).toBe(JSON.stringify(FILE))
})

test.for<[name: string, file: object, credential: object]>([
  ['no refresh token', { ...FILE, refresh_token: undefined }, { refreshToken: undefined }],
  ['no time', { ...FILE, expiry_date: undefined }, { expiresAt: undefined }],
  [
    'a date for a time',
    { ...FILE, expiry_date: null, expired: '2026-05-28T21:26:40Z' },
    { expiresAt: 1_780_003_600_000 },
  ],
  ['no type', { ...FILE, token_type: undefined }, { tokenType: 'Bearer' }],
  ['no server', { ...FILE, resource_url: null }, { resourceUrl: undefined }],
])('a file with %s', ([, file, credential]) => {
  expect(parseCredential(JSON.parse(JSON.stringify(file)) as object as typeof FILE)).toMatchObject(credential)
})

test('a file without a token is none', () => {
  expect(() => parseCredential({ refresh_token: 'rt_1' })).toThrow('access_token')
})

test('what a sign-in grants becomes a credential', () => {
  const granted = { access_token: 'at_1', refresh_token: 'rt_1', token_type: 'Bearer', expires_in: 3600 }
  expect(toMembers(toCredential({ ...granted, resource_url: 'portal.qwen.ai' }, NOW)!)).toEqual(FILE)
  expect(toCredential({ ...granted, endpoint: 'portal.qwen.ai' }, NOW)?.resourceUrl).toBe('portal.qwen.ai')
  expect(toCredential({ access_token: null, refresh_token: null }, NOW)).toBeUndefined()
  expect(toCredential({ status: 'pending' }, NOW)).toBeUndefined()
  expect(toCredential({ ...granted, expires_in: null }, NOW)?.expiresAt).toBeUndefined()
})

test('a refresh keeps what it leaves out', () => {
  const fresh = toCredential({ access_token: 'at_2', token_type: 'Bearer', expires_in: 60 }, NOW, parseCredential(FILE))
  expect(fresh).toEqual({
    accessToken: 'at_2',
    refreshToken: 'rt_1',
    tokenType: 'Bearer',
    resourceUrl: 'portal.qwen.ai',
    expiresAt: NOW + 60_000,
  })
})
