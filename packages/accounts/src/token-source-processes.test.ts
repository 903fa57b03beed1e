import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prepareScript, repeat } from './test-process.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'oauth_creds.json')
})
afterEach(() => rm(folder, { recursive: true }))

/** The source of a process that uses the credential in the file of its first argument. */
function useCredential(rest: string): string {
  return `
    import { createTokenSource } from ${JSON.stringify(new URL('token-source.ts', import.meta.url).href)}
    const [path, url] = process.argv.slice(1)
    if (path === undefined) process.exit()
    const open = refresh => createTokenSource({
      name: 'team-a',
      path,
      mend: 'sign in',
      refresh,
      parse: members => ({
        accessToken: members.access_token,
        refreshToken: members.refresh_token,
        expiresAt: members.expiry_date,
      }),
      toMembers: credential => ({
        access_token: credential.accessToken,
        refresh_token: credential.refreshToken,
        expiry_date: credential.expiresAt,
      }),
    })
    const toCredential = number => ({
      accessToken: 'access-' + number,
      refreshToken: 'refresh-' + number,
      expiresAt: Date.now() + 3600_000,
    })
    ${rest}
  `
}

function toFile(number: number, expiresAt: number): string {
  const members = { access_token: `access-${number}`, refresh_token: `refresh-${number}`, expiry_date: expiresAt }
  return JSON.stringify({ ...members, resource_url: 'portal.example' })
}

/** A sign-in server that answers nobody before `count` processes have told that they asked for a token. */
async function startServer(count: number): Promise<{ server: Server; url: string; refreshes: string[] }> {
  const refreshes: string[] = []
  const { promise: allAsked, resolve } = Promise.withResolvers<void>()
  let asked = 0
  const server = createServer(async ({ url = '' }, response) => {
    if (url === '/asked') {
      asked++
      if (asked === count) resolve()
    } else {
      refreshes.push(url)
      await allAsked
    }
    response.end('2')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, refreshes }
}

test('two processes with 100 requests each refresh an expired token once between them', async () => {
  await writeFile(path, toFile(1, Date.now() - 1))
  const { server, url, refreshes } = await startServer(2)
  const script = await prepareScript(
    useCredential(`
      const source = open(async ({ refreshToken }) => toCredential(await (await fetch(url + refreshToken)).text()))
      const asked = Array.from({ length: 100 }, () => source.get())
      await fetch(url + 'asked')
      process.stdout.write([...new Set((await Promise.all(asked)).map(({ accessToken }) => accessToken))].join())
      process.exit()
    `),
    folder,
  )
  const processes = [script.start(path, url), script.start(path, url)]
  expect(await Promise.all(processes.map(({ stdout }) => text(stdout)))).toEqual(['access-2', 'access-2'])
  expect(refreshes).toEqual(['/refresh-1'])
  server.close()
})

test('the file is whole whenever its writer is killed in the middle of a refresh, 100 of 100 times', async () => {
  const script = await prepareScript(
    useCredential(`
      const source = open(async ({ refreshToken }) => {
        process.stdout.write('.')
        return toCredential(Number(refreshToken.slice(8)) + 1)
      })
      let { accessToken } = await source.get()
      for (;;) accessToken = (await source.forceRefresh(accessToken)).accessToken
    `),
    folder,
  )
  const latest = [0, 0]
  for (const lane of [0, 1]) await writeFile(join(folder, `creds-${lane}.json`), toFile(0, Date.now() - 1))
  await repeat(async index => {
    const lane = index % 2
    const file = join(folder, `creds-${lane}.json`)
    // Each starts with what the one before it has left behind: the file, and perhaps its lock.
    await script.startAndKill(1 + (index % 5), file)
    const members = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    const number = Number(String(members['access_token']).slice('access-'.length))
    expect(number).toBeGreaterThanOrEqual(latest[lane]!)
    expect(members).toMatchObject({ refresh_token: `refresh-${number}`, resource_url: 'portal.example' })
    latest[lane] = number
  })
  expect(Math.min(...latest)).toBeGreaterThan(50)
})
