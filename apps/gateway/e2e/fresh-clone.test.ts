import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { orSkip } from './clients/or-skip.ts'
import { runCommand, type RunningCommand } from './run-command.ts'

// From nothing to the first streamed token, as somebody has it who has just cloned the project.

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const PROMISED_MS = 60_000

const files = await orSkip('a fresh clone', async () => {
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  return stdout.split('\0').filter(file => file !== '' && existsSync(join(root, file)))
})

/** What the workspace puts in front of the path is not there yet in a clone. */
const env = {
  ...process.env,
  PATH: (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(folder => !folder.includes('node_modules'))
    .join(delimiter),
  PORT: '0',
} as Readonly<Record<string, string>>

/** Asks what the printed line asks, and resolves with the first token. */
async function firstToken(gateway: RunningCommand): Promise<string> {
  const [, baseUrl] = await gateway.seen(/^ +curl -N (\S+)\/chat\/completions/m)
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'demo/echo',
      stream: true,
      messages: [{ role: 'user', content: 'Hello, Millrace.' }],
    }),
  })
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece
    const token = /"content":"([^"]+)"/.exec(text)?.[1]
    if (token !== undefined) return token
  }
  throw new Error(`There was no token in ${text}`)
}

describe.skipIf(files === undefined)('npm start in a fresh clone', () => {
  let clone: string
  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'millrace-clone-'))
    for (const file of files!) await cp(join(root, file), join(clone, file), { verbatimSymlinks: true })
  })
  afterAll(() => rm(clone, { recursive: true, force: true }))

  test('installs what it needs, and streams within a minute', { timeout: 2 * PROMISED_MS }, async () => {
    const startedAt = performance.now()
    await using gateway = runCommand('npm', ['start'], { cwd: clone, env })
    await expect(firstToken(gateway)).resolves.toBe('Hello,')
    expect(performance.now() - startedAt).toBeLessThan(PROMISED_MS)
    expect(gateway.stderr()).toContain('Installing dependencies')
  })

  test('installs nothing the second time', async () => {
    await using gateway = runCommand('npm', ['start'], { cwd: clone, env })
    await expect(firstToken(gateway)).resolves.toBe('Hello,')
    expect(gateway.stderr()).not.toContain('Installing dependencies')
  })
})
