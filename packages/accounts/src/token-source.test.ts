import type { JsonObject } from '@millrace/core'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RefreshRefused } from './credential-error.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { createTokenSource, type Credential, type TokenSource, type TokenSourceOptions } from './token-source.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

interface TestCredential extends Credential {
  readonly refreshToken: string
}

let folder: string
let path: string
let clock: ManualClock
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'oauth_creds.json')
  clock = createManualClock()
})
afterEach(() => rm(folder, { recursive: true }))

/** Writes the file as another program would, at the time of the clock. */
async function writeCredential(number: number, lifeMs: number, more: JsonObject = {}): Promise<void> {
  const members = { access_token: `access-${number}`, refresh_token: `refresh-${number}`, ...more }
  await writeFile(path, JSON.stringify({ ...members, expiry_date: clock.now() + lifeMs }))
  await utimes(path, clock.now() / 1000, clock.now() / 1000)
}

const readCredential = async (): Promise<JsonObject> => JSON.parse(await readFile(path, 'utf8')) as JsonObject

/** A source, and the sign-in server behind it: every refresh token is good for one use. */
function setUp(options: Partial<TokenSourceOptions<TestCredential>> = {}) {
  const calls: string[] = []
  const problems: string[] = []
  const lifeMs = HOUR
  const source: TokenSource<TestCredential> = createTokenSource<TestCredential>({
    name: 'team-a',
    path,
    mend: 'run `millrace login`',
    clock,
    onProblem: message => problems.push(message),
    parse({ access_token, refresh_token, expiry_date }) {
      if (typeof access_token !== 'string') throw new Error('it has no access_token')
      return { accessToken: access_token, refreshToken: String(refresh_token), expiresAt: Number(expiry_date) }
    },
    toMembers: ({ accessToken, refreshToken, expiresAt }) => ({
      access_token: accessToken,
      refresh_token: refreshToken,
      expiry_date: expiresAt,
    }),
    async refresh({ refreshToken }) {
      calls.push(refreshToken)
      return toCredential(Number(refreshToken.slice('refresh-'.length)) + 1, lifeMs)
    },
    ...options,
  })
  return { source, calls, problems }
}

function toCredential(number: number, lifeMs = HOUR): TestCredential {
  return { accessToken: `access-${number}`, refreshToken: `refresh-${number}`, expiresAt: clock.now() + lifeMs }
}

const tokenOf = async (credential: TestCredential | Promise<TestCredential>): Promise<string> =>
  (await credential).accessToken

/** The outcome of something that fails. */
async function errorOf(outcome: unknown): Promise<unknown> {
  try {
    await outcome
  } catch (error) {
    return error
  }
  throw new Error('It did not fail.')
}

async function refuse(): Promise<never> {
  throw new RefreshRefused('Bearer canary.canary.canary: invalid_grant')
}

describe('a token that works', () => {
  test('is read once and then had at once', async () => {
    await writeCredential(1, HOUR)
    const { source, calls } = setUp()
    expect(await tokenOf(source.get())).toBe('access-1')
    clock.advance(54 * MINUTE)
    expect(source.get()).toMatchObject({ accessToken: 'access-1' })
    expect(calls).toEqual([])
  })

  test('has no end where the file tells none', async () => {
    await writeCredential(1, Number.NaN)
    const { source, calls } = setUp({ parse: () => ({ accessToken: 'access-1', refreshToken: '' }) })
    await source.get()
    clock.advance(10_000 * HOUR)
    expect(source.get()).toMatchObject({ accessToken: 'access-1' })
    expect(calls).toEqual([])
  })

  test.each([
    ['5 minutes before its end', HOUR, 55 * MINUTE],
    ['at 80 % of its life, where that is later', 10 * MINUTE, 8 * MINUTE],
    ['at 80 % of a very short life', 10 * SECOND, 8 * SECOND],
  ])('is renewed in the background %s', async (_when, lifeMs, agingAt) => {
    await writeCredential(1, lifeMs)
    const { source, calls } = setUp()
    await source.get()
    clock.advance(agingAt - 1)
    await source.get()
    expect(calls).toEqual([])
    clock.advance(1)
    for (let count = 0; count < 200; count++) expect(source.get()).toMatchObject({ accessToken: 'access-1' })
    await vi.waitFor(() => expect(source.get()).toMatchObject({ accessToken: 'access-2' }))
    expect(calls).toEqual(['refresh-1'])
    expect(await readCredential()).toMatchObject({ access_token: 'access-2', refresh_token: 'refresh-2' })
  })

  test('outlives a refresh that fails in the background, of which somebody is told', async () => {
    await writeCredential(1, HOUR)
    const refresh = vi.fn(async () => {
      throw new Error('the server is down')
    })
    const { source, problems } = setUp({ refresh })
    await source.get()
    clock.advance(56 * MINUTE)
    source.get()
    await vi.waitFor(() => expect(problems).toHaveLength(1))
    expect(problems[0]).toBe('The sign-in of team-a cannot be renewed for now (the server is down).')
    expect(source.get()).toMatchObject({ accessToken: 'access-1' })
    expect(refresh).toHaveBeenCalledTimes(1)
    clock.advance(10 * SECOND)
    source.get()
    await vi.waitFor(() => expect(problems).toHaveLength(2))
  })
})

describe('a token that has expired', () => {
  test.each([
    ['30 s before its end', HOUR, HOUR - 30 * SECOND],
    ['10 % before the end of a short life', MINUTE, 54 * SECOND],
  ])('counts as expired %s: then all wait for the new one', async (_when, lifeMs, expiredAt) => {
    await writeCredential(1, lifeMs)
    const { promise, resolve } = Promise.withResolvers<TestCredential>()
    const { source } = setUp({ refresh: () => promise })
    await source.get()
    clock.advance(expiredAt - 1)
    expect(source.get()).toMatchObject({ accessToken: 'access-1' })
    clock.advance(1)
    const waiting = source.get()
    expect(waiting).toBeInstanceOf(Promise)
    resolve(toCredential(2))
    expect(await tokenOf(waiting)).toBe('access-2')
  })

  test('is renewed once for 200 callers, and in the file before anybody has it', async () => {
    await writeCredential(1, -1)
    const { source, calls } = setUp()
    const tokens = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const { accessToken } = await source.get()
        const inFile = await readCredential()
        return [accessToken, inFile['access_token']].join()
      }),
    )
    expect(new Set(tokens)).toEqual(new Set(['access-2,access-2']))
    expect(calls).toEqual(['refresh-1'])
    expect(await readdir(folder)).toEqual(['oauth_creds.json'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('is written with all members that the file has', async () => {
    await writeCredential(1, -1, { resource_url: 'portal.example', token_type: 'Bearer' })
    await setUp().source.get()
    expect(await readCredential()).toEqual({
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      expiry_date: clock.now() + HOUR,
      resource_url: 'portal.example',
      token_type: 'Bearer',
    })
  })

  test('keeps nobody waiting who leaves', async () => {
    await writeCredential(1, -1)
    const { promise, resolve } = Promise.withResolvers<TestCredential>()
    const { source } = setUp({ refresh: () => promise })
    const leaving = new AbortController()
    const left = source.get(leaving.signal)
    const stayed = source.get()
    leaving.abort()
    expect(await errorOf(left)).toMatchObject({ code: 'aborted' })
    resolve(toCredential(2))
    expect(await tokenOf(stayed)).toBe('access-2')
  })

  test('is told of, where the sign-in server gives another one of the kind', async () => {
    await writeCredential(1, -1)
    const refresh = vi.fn(async () => toCredential(2, -1))
    const { source } = setUp({ refresh })
    const error = await errorOf(source.get())
    expect(error).toMatchObject({ message: expect.stringContaining('has expired already') as unknown })
    await errorOf(source.get())
    expect(refresh).toHaveBeenCalledTimes(1)
  })
})

describe('a token that the upstream refused', () => {
  test('is renewed once for 200 callers', async () => {
    await writeCredential(1, HOUR)
    const { source, calls } = setUp()
    await source.get()
    const renewals = Array.from({ length: 200 }, () => tokenOf(source.forceRefresh('access-1')))
    expect(new Set(await Promise.all(renewals))).toEqual(new Set(['access-2']))
    expect(source.forceRefresh('access-1')).toMatchObject({ accessToken: 'access-2' })
    expect(calls).toEqual(['refresh-1'])
    expect(await tokenOf(source.forceRefresh('access-2'))).toBe('access-3')
  })

  test('is used by nobody else meanwhile', async () => {
    await writeCredential(1, HOUR)
    const { source } = setUp()
    await source.get()
    const renewed = source.forceRefresh('access-1')
    expect(await tokenOf(source.get())).toBe('access-2')
    await renewed
  })

  test('is left alone where another program has put a new one into the file', async () => {
    await writeCredential(1, HOUR)
    const { source, calls } = setUp()
    await source.get()
    await writeCredential(7, HOUR)
    expect(await tokenOf(source.forceRefresh('access-1'))).toBe('access-7')
    expect(calls).toEqual([])
  })

  test('may be given again by the sign-in server', async () => {
    await writeCredential(1, HOUR)
    const refresh = vi.fn(async () => toCredential(1))
    const { source } = setUp({ refresh })
    await source.get()
    expect(await tokenOf(source.forceRefresh('access-1'))).toBe('access-1')
    expect(source.get()).toMatchObject({ accessToken: 'access-1' })
    expect(refresh).toHaveBeenCalledTimes(1)
  })
})

describe('a refresh that the sign-in server refuses', () => {
  test('is tried again after 60 s, doubling to 30 min, and not before', async () => {
    await writeCredential(1, -1)
    const refresh = vi.fn(refuse)
    const { source } = setUp({ refresh })
    for (const [index, minutes] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      const errors = await Promise.all(Array.from({ length: 200 }, () => errorOf(source.get())))
      expect(refresh).toHaveBeenCalledTimes(index + 1)
      expect(errors.at(-1)).toMatchObject({
        code: 'upstream_auth_failed',
        message: 'team-a has no valid sign-in ([masked]: invalid_grant): run `millrace login`.',
        verdict: { state: 'auth-expired', untilMs: clock.now() + minutes * MINUTE },
      })
      clock.advance(minutes * MINUTE - 1)
      expect(await errorOf(source.get())).toMatchObject({ verdict: { untilMs: clock.now() + 1 } })
      expect(refresh).toHaveBeenCalledTimes(index + 1)
      clock.advance(1)
    }
  })

  test('does not matter when another program was quicker', async () => {
    await writeCredential(1, -1)
    const refresh = vi.fn(async () => {
      await writeCredential(7, HOUR)
      throw new RefreshRefused('invalid_grant')
    })
    const { source } = setUp({ refresh })
    expect(await tokenOf(source.get())).toBe('access-7')
  })

  test('is forgotten as soon as the file is another', async () => {
    await writeCredential(1, -1)
    const { source } = setUp({ refresh: refuse })
    await errorOf(source.get())
    expect(await source.isRenewed()).toBe(false)
    await writeCredential(7, HOUR)
    expect(await source.isRenewed()).toBe(true)
    expect(await tokenOf(source.get())).toBe('access-7')
    expect(await source.isRenewed()).toBe(false)
  })

  test('is tried with the new refresh token even where the new access token has expired too', async () => {
    await writeCredential(1, -1)
    const refresh = vi.fn(async ({ refreshToken }: TestCredential) => {
      if (refreshToken === 'refresh-1') throw new RefreshRefused('invalid_grant')
      return toCredential(8)
    })
    const { source } = setUp({ refresh })
    await errorOf(source.get())
    await writeCredential(7, -1)
    expect(await tokenOf(source.get())).toBe('access-8')
  })
})

describe('a refresh that fails otherwise', () => {
  test('is tried again after 10 s, doubling to 5 min, and not before', async () => {
    await writeCredential(1, -1)
    const refresh = vi.fn(async () => Promise.reject(new Error('status 500')))
    const { source } = setUp({ refresh })
    for (const [index, seconds] of [10, 20, 40, 80, 160, 300, 300].entries()) {
      const errors = await Promise.all(Array.from({ length: 200 }, () => errorOf(source.get())))
      expect(refresh).toHaveBeenCalledTimes(index + 1)
      expect(errors[0]).toMatchObject({
        code: 'upstream_auth_failed',
        message: 'The sign-in of team-a cannot be renewed for now (status 500).',
        verdict: { state: 'auth-expired', untilMs: clock.now() + seconds * SECOND },
      })
      clock.advance(seconds * SECOND - 1)
      await errorOf(source.get())
      expect(refresh).toHaveBeenCalledTimes(index + 1)
      clock.advance(1)
    }
    refresh.mockImplementation(async () => toCredential(2) as never)
    expect(await tokenOf(source.get())).toBe('access-2')
  })

  test('that hangs keeps nobody waiting for more than 10 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await writeCredential(1, -1)
      const { promise: begun, resolve: begin } = Promise.withResolvers<AbortSignal>()
      const { source } = setUp({
        refresh(_credential, signal) {
          begin(signal)
          return new Promise(() => {})
        },
      })
      const errors = Promise.all(Array.from({ length: 200 }, () => errorOf(source.get())))
      const signal = await begun
      vi.advanceTimersByTime(9999)
      expect(signal.aborted).toBe(false)
      vi.advanceTimersByTime(1)
      expect(signal.aborted).toBe(true)
      expect((await errors)[199]).toMatchObject({
        code: 'upstream_auth_failed',
        message: expect.stringContaining('no answer within 10 s') as unknown,
      })
      expect(vi.getTimerCount()).toBe(0)
      expect(await readdir(folder)).toEqual(['oauth_creds.json'])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('the file', () => {
  test('that is missing or broken is told of, and read when it is there', async () => {
    const { source, calls } = setUp()
    expect(await errorOf(source.get())).toMatchObject({
      code: 'upstream_auth_failed',
      message: 'team-a has no valid sign-in (its credential file is not there): run `millrace login`.',
    })
    await writeFile(path, '{"access_token":5}')
    expect(await errorOf(source.get())).toMatchObject({ code: 'upstream_auth_failed' })
    expect(await source.isRenewed()).toBe(false)
    await writeCredential(1, HOUR)
    expect(await tokenOf(source.get())).toBe('access-1')
    expect(calls).toEqual([])
  })

  test('that cannot be written does not stop the use of the new token', async () => {
    await writeCredential(1, -1)
    const { source, calls, problems } = setUp({
      async refresh() {
        calls.push('now')
        // Something in the way of every user, root included.
        await rm(path)
        await mkdir(path)
        return toCredential(2)
      },
    })
    expect(await tokenOf(source.get())).toBe('access-2')
    expect(problems).toEqual([`${path} cannot be written (EISDIR): team-a has to sign in anew after a restart.`])
    expect(source.get()).toMatchObject({ accessToken: 'access-2' })
    expect(calls).toEqual(['now'])
  })

  test('beside which no lock can be made is used all the same', async () => {
    await writeCredential(1, -1)
    const { source, problems } = setUp({ lockPath: join(folder, 'missing', 'oauth_creds.lock') })
    expect(await tokenOf(source.get())).toBe('access-2')
    expect(problems).toEqual([expect.stringContaining('ENOENT')])
  })

  test('is filled by a sign-in, which ends all that was wrong', async () => {
    await writeCredential(1, -1, { resource_url: 'portal.example' })
    const { source } = setUp({ refresh: refuse })
    await errorOf(source.get())
    await source.store(toCredential(9))
    expect(source.get()).toMatchObject({ accessToken: 'access-9' })
    expect(await readCredential()).toMatchObject({ access_token: 'access-9', resource_url: 'portal.example' })
    expect(await readdir(folder)).toEqual(['oauth_creds.json'])
  })

  test('is made by the first sign-in', async () => {
    path = join(folder, 'deep', 'oauth_creds.json')
    const { source } = setUp()
    await source.store(toCredential(1))
    expect(await readCredential()).toMatchObject({ access_token: 'access-1' })
    expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700)
  })
})

describe('two sources of one file', () => {
  test('refresh once between them', async () => {
    await writeCredential(1, -1)
    const one = setUp()
    const other = setUp()
    const tokens = await Promise.all([one, other, one, other].map(({ source }) => tokenOf(source.get())))
    expect(new Set(tokens)).toEqual(new Set(['access-2']))
    expect([...one.calls, ...other.calls]).toEqual(['refresh-1'])
  })

  test('one that lost the lock does not write over what the other has written since', async () => {
    await writeCredential(1, -1)
    const lockPath = join(folder, 'oauth_creds.lock')
    const { source } = setUp({
      async refresh() {
        await rm(lockPath)
        await setUp().source.store(toCredential(7))
        return toCredential(2)
      },
    })
    expect(await tokenOf(source.get())).toBe('access-7')
    expect(await readCredential()).toMatchObject({ access_token: 'access-7' })
  })

  test('one that lost the lock keeps what it has got where nothing else is there', async () => {
    await writeCredential(1, -1)
    const { source } = setUp({
      async refresh() {
        await rm(join(folder, 'oauth_creds.lock'))
        return toCredential(2)
      },
    })
    expect(await tokenOf(source.get())).toBe('access-2')
    expect(await readCredential()).toMatchObject({ access_token: 'access-2' })
  })
})
