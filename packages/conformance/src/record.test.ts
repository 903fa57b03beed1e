import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { answerText, startSimulator } from '@millrace/simulator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFixtures } from './fixtures.ts'
import { record } from './record.ts'

const API_KEY = 'made-up-for-this-test'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'record-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a stream is written down as it came, and reads as a fixture once it says what to expect', async () => {
  await using simulator = await startSimulator({ apiKey: API_KEY })
  const out = join(folder, 'text')
  const length = await record({ url: simulator.url, model: 'text', out, apiKey: API_KEY, prompt: 'Hello.' })
  expect(simulator.stats.lastRequest?.authorization).toBe(`Bearer ${API_KEY}`)

  await writeFile(join(out, 'chunks.json'), '[{"choices":[]}]')
  const [fixture] = await readFixtures(pathToFileURL(`${folder}/`))
  expect(fixture).toMatchObject({ name: 'text', model: 'text', response: { format: 'sse', status: 200 } })
  expect(fixture?.request.messages).toEqual([{ role: 'user', content: 'Hello.' }])
  expect(fixture?.response?.bytes).toHaveLength(length)
  const text = fixture?.response?.bytes.toString() ?? ''
  expect(text).toMatch(/^data: \{.*data: \[DONE\]\n\n$/s)
  const words = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word)
  expect(words.join('')).toBe(answerText())
  expect(JSON.parse(await readFile(join(out, 'meta.json'), 'utf8'))).toMatchObject({ origin: 'recorded' })
})

test('a whole answer, and the members that were added to the request', async () => {
  await using simulator = await startSimulator()
  const out = join(folder, 'whole')
  await record({ url: simulator.url, model: 'text', out, stream: false, request: { temperature: 0, n: 2 } })
  expect(JSON.parse(simulator.stats.lastRequest?.body ?? '')).toMatchObject({ temperature: 0, n: 2 })
  expect(JSON.parse(await readFile(join(out, 'response.json'), 'utf8'))).toMatchObject({ object: 'chat.completion' })
})

test('a failure is an answer, too, and no key stays in any file', async () => {
  await using simulator = await startSimulator()
  const out = join(folder, 'failure')
  const words = `Wrong: ${API_KEY} (sk-made-up-0123456789abcdef), but not é.`
  const model = `error?status=429&retryAfter=7&message=${encodeURIComponent(words)}`
  await record({ url: simulator.url, model, out, prompt: words, apiKey: API_KEY })
  const files = await Promise.all((await readdir(out)).map(name => readFile(join(out, name), 'utf8')))
  for (const file of files) expect(file).not.toMatch(/made-up/)
  expect(await readFile(join(out, 'response.json'), 'utf8')).toContain('Wrong: test-key (test-key), but not é.')
  expect(JSON.parse(await readFile(join(out, 'meta.json'), 'utf8'))).toMatchObject({
    status: 429,
    headers: { 'retry-after': '7' },
  })
})

test('what is there already is left alone, and nothing is called', async () => {
  await using simulator = await startSimulator()
  const recording = { url: simulator.url, model: 'text', out: folder }
  await expect(record(recording)).rejects.toMatchObject({ code: 'EEXIST' })
  expect(simulator.stats.requests).toBe(0)
})

test('where there is no whole answer nothing is kept', async () => {
  await using simulator = await startSimulator()
  const out = join(folder, 'reset')
  await expect(record({ url: simulator.url, model: 'reset', out })).rejects.toMatchObject({
    code: 'upstream_truncated',
  })
  expect(await readdir(folder)).toEqual([])
})

test('it runs from the command line, with the key from the environment', async () => {
  await using simulator = await startSimulator({ apiKey: API_KEY })
  const out = join(folder, 'text')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [new URL('record.ts', import.meta.url).pathname, '--url', simulator.url, '--model', 'text', '--out', out],
    { env: { RECORD_API_KEY: API_KEY } },
  )
  expect(stdout).toContain(out)
  expect((await readdir(out)).toSorted()).toEqual(['meta.json', 'request.json', 'response.sse'])
})
