import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCredentialFile, type CredentialFormat } from './credential-file.ts'

const format: CredentialFormat<string> = {
  parse({ access_token: token }) {
    if (typeof token !== 'string') throw new Error('it has no access_token')
    return token
  },
  toMembers: token => ({ access_token: token }),
}

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'deep', 'creds.json')
})
afterEach(() => rm(folder, { recursive: true }))

test('reads what it has written, as a change to others only', async () => {
  const file = createCredentialFile(path, format)
  await expect(file.readChange()).rejects.toThrow('its credential file is not there')
  expect(await file.hasChanged()).toBe(false)
  await file.write('one')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await file.hasChanged()).toBe(false)
  expect(await file.readChange()).toBeUndefined()
  const other = createCredentialFile(path, format)
  expect(await other.hasChanged()).toBe(true)
  expect(await other.readChange()).toEqual({ credential: 'one', writtenAt: (await stat(path)).mtimeMs })
  expect(await other.hasChanged()).toBe(false)
  await other.write('two')
  expect(await file.hasChanged()).toBe(true)
  expect(await file.readChange()).toMatchObject({ credential: 'two' })
})

test('removes members that are undefined', async () => {
  path = join(folder, 'creds.json')
  await writeFile(path, '{"access_token":"one","expiry_date":5}')
  const file = createCredentialFile(path, {
    ...format,
    toMembers: token => ({ access_token: token, expiry_date: undefined }),
  })
  await file.readChange()
  await file.write('two')
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ access_token: 'two' })
})

test('keeps the members that it does not know', async () => {
  path = join(folder, 'creds.json')
  await writeFile(path, '{"access_token":"one","resource_url":"portal.example","nested":{"x":[1]}}')
  const file = createCredentialFile(path, format)
  await file.readChange()
  await file.write('two')
  expect(await readFile(path, 'utf8')).toBe(
    '{\n  "access_token": "two",\n  "resource_url": "portal.example",\n  "nested": {\n    "x": [\n      1\n    ]\n  }\n}\n',
  )
})

test.each([
  ['', 'its credential file holds no JSON object'],
  ['{"access_token":"on', 'its credential file holds no JSON object'],
  ['[]', 'its credential file holds no JSON object'],
  ['{}', 'it has no access_token'],
])('%j is no credential', async (text, message) => {
  path = join(folder, 'creds.json')
  await writeFile(path, text)
  const file = createCredentialFile(path, format)
  await expect(file.readChange()).rejects.toThrow(message)
  expect(await file.hasChanged()).toBe(false)
  await writeFile(path, '{"access_token":"one"}')
  expect(await file.hasChanged()).toBe(true)
  expect(await file.readChange()).toMatchObject({ credential: 'one' })
})

test('a file that is half-written by another program is read when it is whole', async () => {
  path = join(folder, 'creds.json')
  await writeFile(path, '{"access_token":')
  const reading = createCredentialFile(path, format).readChange()
  await writeFile(path, '{"access_token":"one"}')
  expect(await reading).toMatchObject({ credential: 'one' })
})

test('a file that stays half-written takes nothing away from what was read before', async () => {
  path = join(folder, 'creds.json')
  await writeFile(path, '{"access_token":"one","other":1}')
  const file = createCredentialFile(path, format)
  await file.readChange()
  await writeFile(path, '{"access_token":')
  expect(await file.readChange()).toBeUndefined()
  expect(await file.hasChanged()).toBe(false)
  await file.write('two')
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ access_token: 'two', other: 1 })
})

test('a path that is no file cannot be read', async () => {
  await expect(createCredentialFile(folder, format).readChange()).rejects.toThrow(
    'its credential file cannot be read: EISDIR',
  )
})
