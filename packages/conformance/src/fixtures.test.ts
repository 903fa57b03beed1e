import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFixtures } from './fixtures.ts'

const META = { origin: 'hand', date: '2026-11-20', about: 'Made by hand.' }
const ASKED = { request: { model: 'm', messages: [{ role: 'user', content: 'Hello' }] }, model: 'upstream-model' }
const CHUNK = { choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] }
const FAILURE = { error: { code: 'upstream_error', message: 'No.' } }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixtures-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function write(name: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(join(folder, name))
  const whole = {
    'meta.json': META,
    'request.json': ASKED,
    'chunks.json': [CHUNK],
    'response.sse': 'data: x\n\n',
    ...files,
  }
  for (const [file, content] of Object.entries(whole)) {
    if (content === undefined) continue
    await writeFile(join(folder, name, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
}

const read = (): ReturnType<typeof readFixtures> => readFixtures(pathToFileURL(`${folder}/`))

test('all cases, by name', async () => {
  await write('b', {
    'meta.json': { ...META, status: 500, headers: { 'content-type': 'text/plain' } },
    'response.sse': undefined,
    'response.txt': 'No.',
    'chunks.json': [CHUNK, FAILURE],
  })
  await write('a', { 'request.json': { ...ASKED, config: { x: 1 }, expected: { model: 'upstream-model' } } })
  await write('c', { 'response.sse': undefined })
  await writeFile(join(folder, 'README.md'), 'no case')

  const [a, b, c, ...others] = await read()
  expect(others).toEqual([])
  expect(a).toMatchObject({
    name: 'a',
    model: 'upstream-model',
    config: { x: 1 },
    expectedBody: { model: 'upstream-model' },
  })
  expect(a?.response).toEqual({
    format: 'sse',
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    bytes: Buffer.from('data: x\n\n'),
  })
  expect(b).toMatchObject({ chunks: [CHUNK], failure: FAILURE.error, response: { format: 'txt', status: 500 } })
  expect(c).toMatchObject({ chunks: [CHUNK], failure: undefined, response: undefined, holdsBack: false })
})

test.for([
  ['a file is missing', { 'chunks.json': undefined }, /chunks\.json.*ENOENT/],
  ['a file is no JSON', { 'meta.json': '{' }, /meta\.json/],
  ['something else is said of its origin', { 'meta.json': { ...META, origin: 'dream' } }, /meta\.json.*origin/s],
  ['a member is unknown', { 'request.json': { ...ASKED, expect: {} } }, /request\.json.*expect/s],
  ['the request is none', { 'request.json': { ...ASKED, request: {} } }, /request\.json.*messages/s],
  ['nothing is expected', { 'chunks.json': [] }, /chunks\.json/],
  ['a code is unknown', { 'chunks.json': [{ error: { code: 'oops', message: 'No.' } }] }, /chunks\.json/],
  ['something comes behind a failure', { 'chunks.json': [FAILURE, CHUNK] }, /odd.*behind a failure/],
] as const)('where %s, the error names it', async ([, files, message]) => {
  await write('odd', files)
  await expect(read()).rejects.toThrow(message)
})
