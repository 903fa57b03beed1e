import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLoginTokens, type LoginTokens, type LoginTokensOptions } from './login-tokens.ts'
import { amazonQLogin, ownLogin, writeDatabase } from './testing/logins.ts'
import { grant, inTurn, refusal, startSignInServer, type Script, type TestServer } from './testing/sign-in-server.ts'

const HOUR_MS = 3_600_000
const SECRETS = /aoa-test|aor-test|secret-test/

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-tokens-'))
  path = join(folder, 'login.json')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** The file beside a database. */
const copy = (): string => `${path}.millrace.json`
const write = (members: object): Promise<void> => writeFile(path, JSON.stringify(members))
const read = async (file = path): Promise<Record<string, unknown>> => JSON.parse(await readFile(file, 'utf8'))

function tokensOf(server: TestServer, options: Partial<LoginTokensOptions> = {}): LoginTokens {
  return createLoginTokens({ server, name: 'team', path, command: 'millrace login amazon-q --name team', ...options })
}
const get = async (tokens: LoginTokens): Promise<string> => (await tokens.get()).accessToken

/** A server with tokens that are good for one renewal each. */
function rotating(current = 1): Script {
  return ({ json }) => (json['refreshToken'] === `aor-test-${current}` ? grant(++current) : refusal('invalid_grant'))
}

async function failureOf(outcome: Promise<unknown>): Promise<Error> {
  return outcome.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error: unknown) => error as Error,
  )
}

describe('a login of our own', () => {
  test('is renewed once for 200 callers, in the file before anybody has it', async () => {
    await write(ownLogin(1))
    await using server = await startSignInServer(rotating())
    const tokens = tokensOf(server)
    const got = await Promise.all(
      Array.from({ length: 200 }, async () => `${await get(tokens)} ${(await read())['accessToken']}`),
    )
    expect(new Set(got)).toEqual(new Set(['aoa-test-2 aoa-test-2']))
    expect(server.asked).toHaveLength(1)
    expect(await read()).toMatchObject({ madeBy: 'millrace', refreshToken: 'aor-test-2', clientId: 'client-test' })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('is renewed once for two processes, which share its file', async () => {
    await write(ownLogin(1))
    await using server = await startSignInServer(rotating())
    const both = [tokensOf(server), tokensOf(server)]
    expect(await Promise.all(both.flatMap(tokens => [get(tokens), get(tokens)]))).toEqual(Array(4).fill('aoa-test-2'))
    expect(server.asked).toHaveLength(1)
  })

  test('is renewed once for 200 callers whose token was refused', async () => {
    await write(ownLogin(1, HOUR_MS))
    await using server = await startSignInServer(rotating())
    const tokens = tokensOf(server)
    expect(await get(tokens)).toBe('aoa-test-1')
    const renewed = await Promise.all(Array.from({ length: 200 }, async () => tokens.forceRefresh('aoa-test-1')))
    expect(new Set(renewed.map(({ accessToken }) => accessToken))).toEqual(new Set(['aoa-test-2']))
    expect(server.asked).toHaveLength(1)
  })

  test('that is refused says what mends it, and is asked for no more', async () => {
    await write(ownLogin(1))
    await using server = await startSignInServer(inTurn(refusal('invalid_grant', 400, 'aor-test-1 is over')))
    const tokens = tokensOf(server)
    const failures = await Promise.all(Array.from({ length: 200 }, () => failureOf(get(tokens))))
    for (const { message } of failures) {
      expect(message).toBe(
        'team has no valid sign-in (invalid_grant: [masked] is over): log in again with `millrace login amazon-q --name team`.',
      )
    }
    expect(failures[0]).toMatchObject({ code: 'upstream_auth_failed', verdict: { state: 'auth-expired' } })
    // Not even what only the log sees, which is the error with all that led to it.
    expect(inspect(await failureOf(get(tokens)), { depth: Infinity })).not.toMatch(SECRETS)
    expect(server.asked).toHaveLength(1)
  })

  test('has a renewal that hangs ended', async () => {
    await write(ownLogin(1))
    await using server = await startSignInServer(() => 'never')
    const before = performance.now()
    const failure = await failureOf(get(tokensOf(server, { limitMs: 150 })))
    expect(performance.now() - before).toBeGreaterThanOrEqual(149)
    expect(failure.message).toContain('no answer within 0.15 s')
    expect(failure).toMatchObject({ verdict: { state: 'auth-expired' } })
  })

  test('works again after a new one', async () => {
    const failing = inTurn(refusal('invalid_grant'))
    await write(ownLogin(1))
    await using server = await startSignInServer(failing)
    const tokens = tokensOf(server)
    await failureOf(get(tokens))
    expect(await tokens.isRenewed()).toBe(false)
    await write(ownLogin(7, HOUR_MS))
    expect(await tokens.isRenewed()).toBe(true)
    expect(await get(tokens)).toBe('aoa-test-7')
  })

  test('may come when it was not there at first, whatever it is', async () => {
    await using server = await startSignInServer(rotating())
    const tokens = tokensOf(server)
    expect((await failureOf(get(tokens))).message).toContain('credential file is not there')
    writeDatabase(path, amazonQLogin(5, HOUR_MS))
    expect(await get(tokens)).toBe('aoa-test-5')
  })
})

describe("a login in Kiro's file", () => {
  const KIRO: Record<string, unknown> = {
    ...ownLogin(1),
    madeBy: undefined,
    provider: 'Google',
    authMethod: 'social',
    clientId: undefined,
  }

  test('is renewed there, where Kiro finds it, and all else stays', async () => {
    await write(KIRO)
    await using server = await startSignInServer(rotating())
    expect(await get(tokensOf(server))).toBe('aoa-test-2')
    const { expiresAt, ...rest } = await read()
    const { expiresAt: _before, madeBy: _none, clientId: _neither, ...kept } = KIRO
    expect(rest).toEqual({ ...kept, accessToken: 'aoa-test-2', refreshToken: 'aor-test-2' })
    expect(Date.parse(String(expiresAt))).toBeGreaterThan(Date.now())
  })

  test('that is refused is a matter for Kiro', async () => {
    await write(KIRO)
    await using server = await startSignInServer(inTurn({ status: 401, body: { message: 'Bad credentials' } }))
    expect((await failureOf(get(tokensOf(server)))).message).toBe(
      'team has no valid sign-in (Bad credentials): log in again with the program that its file belongs to.',
    )
  })
})

describe('a login in the database of a command line', () => {
  test('is used as it is while it works', async () => {
    writeDatabase(path, amazonQLogin(1, HOUR_MS))
    await using server = await startSignInServer(rotating())
    expect(await get(tokensOf(server))).toBe('aoa-test-1')
    expect(server.asked).toEqual([])
    expect((await stat(copy())).mode & 0o777).toBe(0o600)
  })

  test('is renewed into a file beside, once for 200 callers and two processes, and never into the database', async () => {
    writeDatabase(path, amazonQLogin(1))
    const before = await readFile(path)
    await using server = await startSignInServer(rotating())
    const both = [tokensOf(server), tokensOf(server)]
    const got = await Promise.all(Array.from({ length: 200 }, (_, at) => get(both[at % 2]!)))
    expect(new Set(got)).toEqual(new Set(['aoa-test-2']))
    expect(server.asked).toHaveLength(1)
    expect(await readFile(path)).toEqual(before)
    expect(await read(copy())).toMatchObject({ madeBy: 'millrace', refreshToken: 'aor-test-2' })
    // After a restart as well, although the database still has the old token.
    expect(await get(tokensOf(server))).toBe('aoa-test-2')
    expect(server.asked).toHaveLength(1)
  })

  test('is taken anew where its program has renewed it', async () => {
    writeDatabase(path, amazonQLogin(1, HOUR_MS))
    await using server = await startSignInServer(rotating())
    const tokens = tokensOf(server)
    await get(tokens)
    writeDatabase(path, amazonQLogin(4, HOUR_MS))
    expect((await tokens.forceRefresh('aoa-test-1')).accessToken).toBe('aoa-test-4')
    expect(server.asked).toEqual([])
  })

  test('is taken anew where its program is quicker with the refresh token', async () => {
    writeDatabase(path, amazonQLogin(1))
    await using server = await startSignInServer(() => {
      writeDatabase(path, amazonQLogin(4, HOUR_MS))
      return refusal('invalid_grant')
    })
    expect(await get(tokensOf(server))).toBe('aoa-test-4')
    expect(server.asked).toHaveLength(1)
  })

  test('is renewed with the refresh token of its program where that is the newer one', async () => {
    writeDatabase(path, amazonQLogin(1, HOUR_MS))
    await using server = await startSignInServer(rotating(4))
    const tokens = tokensOf(server)
    await get(tokens)
    writeDatabase(path, amazonQLogin(4))
    expect((await tokens.forceRefresh('aoa-test-1')).accessToken).toBe('aoa-test-5')
  })

  test('that is refused is a matter for its program, and works after a new login there', async () => {
    writeDatabase(path, amazonQLogin(1))
    await using server = await startSignInServer(inTurn(refusal('invalid_grant')))
    const tokens = tokensOf(server)
    const { message } = await failureOf(get(tokens))
    expect(message).toContain('log in again with the program that its database belongs to')
    expect(await tokens.isRenewed()).toBe(false)
    writeDatabase(path, amazonQLogin(8, HOUR_MS))
    expect(await tokens.isRenewed()).toBe(true)
    expect(await get(tokens)).toBe('aoa-test-8')
    expect(server.asked).toHaveLength(1)
  })

  test('that is not in it is told of', async () => {
    writeDatabase(path, {})
    await using server = await startSignInServer(rotating())
    const tokens = tokensOf(server)
    const failure = await failureOf(get(tokens))
    expect(failure.message).toContain('its database holds no login')
    expect(failure).toMatchObject({ verdict: { state: 'auth-expired', untilMs: expect.any(Number) as unknown } })
    writeDatabase(path, amazonQLogin(1, HOUR_MS))
    expect(await get(tokens)).toBe('aoa-test-1')
  })

  test('is renewed for as long as the process lives where nothing can be written beside', async () => {
    // So long that no longer name can be made of it.
    path = join(folder, 'd'.repeat(240))
    vi.stubEnv('TMPDIR', folder)
    writeDatabase(path, amazonQLogin(1))
    await using server = await startSignInServer(rotating())
    const problems: string[] = []
    const tokens = tokensOf(server, { onProblem: message => problems.push(message) })
    expect(await get(tokens)).toBe('aoa-test-2')
    expect(problems).toEqual([expect.stringContaining('ENAMETOOLONG')])
  })
})

test('the time of a file tells how long its token has lived', async () => {
  await write(ownLogin(1, 200_000))
  const writtenAt = Date.now() / 1000 - 3400
  await utimes(path, writtenAt, writtenAt)
  await using server = await startSignInServer(rotating())
  const tokens = tokensOf(server)
  expect(await get(tokens)).toBe('aoa-test-1')
  await expect.poll(() => get(tokens)).toBe('aoa-test-2')
})
