import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY } from './clients/gateway-with-simulator.ts'
import { parseDockerfile, type Stage } from './image/dockerfile.ts'
import { parseDockerignore } from './image/dockerignore.ts'
import { runCommand, type RunningCommand } from './run-command.ts'

// Does by hand what `docker build` and `docker run` do with the Dockerfile, outside the checkout: no engine is needed.

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const SETPRIV = '/usr/bin/setpriv'
/** `nobody`, or on a system that has none, just somebody other than root. */
const OTHER_USER = 65534

const stages = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'))
const [install, image] = stages as [Stage, Stage]
const isIgnored = parseDockerignore(await readFile(join(root, '.dockerignore'), 'utf8'))

let folder: string
let app: string
let bin: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-image-'))
  await chmod(folder, 0o755)
  app = join(folder, install.workdir)
  bin = join(folder, 'bin')
  // Node alone, where everybody may run it: the image has nothing else of the workspace.
  await mkdir(bin)
  await cp(process.execPath, join(bin, 'node'))
  for (const { sources, target } of install.copies) await copyFromContext(sources, join(app, target))
  for (const command of install.runs) {
    await run('sh', ['-ec', command], { cwd: app, env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` } })
  }
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** `COPY`: files into a folder, and the contents of a folder as that folder. */
async function copyFromContext(sources: readonly string[], target: string): Promise<void> {
  for (const source of sources) {
    const from = join(root, source)
    const to = (await stat(from)).isDirectory() ? target : join(target, basename(source))
    await mkdir(dirname(to), { recursive: true })
    await cp(from, to, { recursive: true, filter: path => !isLeftOut(path) })
  }
}

/** A folder that is ignored may still hold something that is not, but in ours none does. */
function isLeftOut(path: string): boolean {
  return isIgnored(relative(root, path))
}

/** A path of the image → where it is here. */
function here(argument: string): string {
  return argument.replace(/^(?=\/app\/)/, folder)
}

/** A command in the image, as another user where this one may choose. */
function inImage([command = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): RunningCommand {
  expect(command).toBe('node')
  const states = join(folder, image.env['MILLRACE_STATE_DIR'] ?? '')
  const options = { cwd: app, env: { ...image.env, ...env, MILLRACE_STATE_DIR: states, PATH: bin, HOME: '/' } }
  const words = [join(bin, 'node'), ...args.map(here)]
  if (process.getuid?.() !== 0 || !existsSync(SETPRIV)) return runCommand(words[0]!, words.slice(1), options)
  const user = [`--reuid=${OTHER_USER}`, `--regid=${OTHER_USER}`, '--clear-groups']
  return runCommand(SETPRIV, [...user, ...words], options)
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}

test('the ignore file keeps what is not for the image out of it', () => {
  const out = [
    '.git/config',
    'node_modules/x',
    'packages/core/node_modules',
    'apps/gateway/e2e/cli.test.ts',
    'README.md',
  ]
  expect(out.filter(path => !isIgnored(path))).toEqual([])
  expect(['package.json', 'packages/core/src/index.ts', 'config/millrace.yaml'].filter(isIgnored)).toEqual([])
  expect(isIgnored('packages/core/src/flow.test.ts')).toBe(true)
})

test('the last stage is the app of the one before, and runs as somebody other than root', () => {
  expect(stages).toHaveLength(2)
  expect(image.copies).toEqual([{ from: 'install', sources: [install.workdir], target: image.workdir }])
  expect(image.user).not.toMatch(/^(?:root|0|)(?::|$)/)
})

test('nothing is in it that only development needs', async () => {
  const installed = await readdir(join(app, 'node_modules/.pnpm'))
  const names = installed.map(name => name.replace(/(?<=.)@.*/, ''))
  expect(names).toEqual(expect.arrayContaining(['fastify', 'undici', 'zod', 'pino', 'yaml']))
  for (const name of ['vitest', 'typescript', 'openai', 'ai', 'playwright-core', 'oxlint', 'turbo', 'node']) {
    expect(names).not.toContain(name)
  }
  const files = await readdir(join(app, 'apps'), { recursive: true })
  expect(files.filter(file => /\.test\.ts$|\/e2e\//.test(file) && !file.includes('node_modules'))).toEqual([])
  expect(existsSync(join(app, 'config/millrace.yaml'))).toBe(true)
})

test('without a key it does not start: in the image it listens for other machines', async () => {
  await using container = inImage(image.command, {})
  await expect(container.exited).resolves.toBe(78)
  expect(container.stderr()).toContain('MILLRACE_API_KEY')
})

test('with a key it serves, is healthy, and ends on SIGTERM', async () => {
  const env = { MILLRACE_API_KEY: KEY, PORT: await freePort() }
  await using container = inImage(image.command, env)
  await container.seen(/Millrace is listening/)
  expect(image.env).toMatchObject({ HOST: '0.0.0.0', NODE_ENV: 'production' })

  await using healthy = inImage(image.healthcheck, env)
  await expect(healthy.exited).resolves.toBe(0)

  const response = await fetch(`http://127.0.0.1:${env.PORT}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ model: 'demo/fast', stream: true, messages: [{ role: 'user', content: 'Hello.' }] }),
  })
  expect(await response.text()).toMatch(/"content":"Hello\."[^]*data: \[DONE\]\n\n$/)

  // The second signal ends it at once: a drain takes as long as the configuration says.
  container.signal('SIGTERM')
  await container.seen(/draining/)
  container.signal('SIGTERM')
  await expect(container.exited).resolves.toBe(130)

  await using ill = inImage(image.healthcheck, env)
  await expect(ill.exited).resolves.toBe(1)
})
