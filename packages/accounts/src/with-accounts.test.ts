import { GatewayError, UpstreamError } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import type { Lease, Pool } from './pool.ts'
import { createTestPool, down, failWith, refused, spent, statusOf, throttled, wrong } from './test-pool.ts'
import type { Verdict } from './states.ts'
import { withAccount, withAccounts, type WithAccountsOptions } from './with-accounts.ts'

/** What an account answers: texts to yield, and an error to fail with. */
type Answer = readonly (string | Error)[]

/** An upstream where every account has its answers; the last one is given again and again. */
function createUpstream(answers: Readonly<Record<string, readonly Answer[]>>) {
  const asked: string[] = []
  const left: string[] = []
  return {
    asked,
    left,
    async *attempt({ name }: Lease) {
      const turn = asked.filter(other => other === name).length
      asked.push(name)
      try {
        for (const item of answers[name]!.at(turn) ?? answers[name]!.at(-1)!) {
          if (item instanceof Error) throw item
          yield item
        }
      } finally {
        left.push(name)
      }
    },
  }
}

interface Outcome {
  readonly items: string[]
  readonly error: unknown
}

async function run(
  pool: Pool,
  attempt: (lease: Lease) => AsyncIterable<string>,
  options: Partial<WithAccountsOptions> = {},
): Promise<Outcome> {
  const items: string[] = []
  try {
    const signal = new AbortController().signal
    for await (const item of withAccounts(pool, { signal, ...options }, attempt)) items.push(item)
    return { items, error: undefined }
  } catch (error) {
    return { items, error }
  }
}

const states = (pool: Pool): string =>
  pool
    .list()
    .map(({ state }) => state.state)
    .join(' ')
const active = (pool: Pool): number => pool.list().reduce((sum, account) => sum + account.active, 0)

function verdictOf(error: unknown): Verdict {
  return { state: error === wrong ? 'suspended' : 'ok' }
}

describe('before the first item', () => {
  test.each([
    ['the rate', throttled(), 'rate-limited ok'],
    ['the quota', spent, 'quota-exhausted ok'],
    ['the credential', refused, 'auth-expired ok'],
  ])('a failure that is a matter of %s moves on to the next account', async (_what, error, expected) => {
    const { pool } = createTestPool(['a', 'b'])
    const upstream = createUpstream({ a: [[error]], b: [['hello', 'world']] })
    const names: string[] = []
    const outcome = await run(pool, upstream.attempt, { onAccount: name => names.push(name) })
    expect(outcome).toEqual({ items: ['hello', 'world'], error: undefined })
    expect(names).toEqual(['a', 'b'])
    expect(states(pool)).toBe(expected)
    expect(active(pool)).toBe(0)
  })

  test.each([down, wrong, new UpstreamError('upstream_malformed', 'what'), new Error('a bug')])(
    'a failure that is not is thrown as it is: %o',
    async error => {
      const { pool } = createTestPool(['a', 'b'])
      const upstream = createUpstream({ a: [[error]], b: [['hello']] })
      const outcome = await run(pool, upstream.attempt)
      expect(outcome.error).toBe(error)
      expect(upstream.asked).toEqual(['a'])
      expect(states(pool)).toBe('ok ok')
      expect(active(pool)).toBe(0)
    },
  )

  const broken = new UpstreamError('upstream_error', 'sorry', { upstreamStatus: 500 })
  const odd = new UpstreamError('upstream_rejected', 'what', { upstreamStatus: 500 })
  const late = new UpstreamError('first_byte_timeout', 'silence')

  test.each([
    [down, 'a c', undefined],
    [broken, 'a c', undefined],
    [odd, 'a', odd],
    [late, 'a', late],
  ])('a failure of its place moves on to the next account at another place: %o', async (error, asked, failure) => {
    const accounts = ['a', 'b', 'c'].map(name => ({ name, place: name === 'c' ? 'elsewhere' : 'here' }))
    const { pool } = createTestPool(accounts)
    const upstream = createUpstream({ a: [[error]], b: [['hello']], c: [['hello']] })
    const outcome = await run(pool, upstream.attempt)
    expect(outcome).toEqual({ items: failure ? [] : ['hello'], error: failure })
    expect(upstream.asked.join(' ')).toBe(asked)
    expect(states(pool)).toBe('ok ok ok')
  })

  test('a failure of every place is thrown as it is', async () => {
    const { pool } = createTestPool(['a', 'b', 'c'].map(name => ({ name, place: name === 'c' ? 'elsewhere' : 'here' })))
    const upstream = createUpstream({ a: [[broken]], b: [['hello']], c: [[down]] })
    expect((await run(pool, upstream.attempt)).error).toBe(down)
    failWith(pool, 'c', spent)
    const again = createUpstream({ a: [[broken]], b: [[broken]], c: [['hello']] })
    expect((await run(pool, again.attempt)).error).toBe(broken)
    expect(again.asked).toHaveLength(1)
  })

  test('the provider can know better', async () => {
    const { pool } = createTestPool(['a', 'b', 'c'])
    const upstream = createUpstream({ a: [[wrong]], b: [[refused]], c: [['hello']] })
    const outcome = await run(pool, upstream.attempt, { verdictOf })
    expect(outcome.error).toBe(refused)
    expect(states(pool)).toBe('suspended ok ok')
  })

  test('three accounts at most', async () => {
    const { pool } = createTestPool(['a', 'b', 'c', 'd'])
    const last = throttled()
    const upstream = createUpstream({ a: [[spent]], b: [[spent]], c: [[last]], d: [['hello']] })
    const outcome = await run(pool, upstream.attempt)
    expect(outcome.error).toBe(last)
    expect(upstream.asked).toEqual(['a', 'b', 'c'])
  })

  test('each of them once', async () => {
    const { pool, clock } = createTestPool(['a', 'b'])
    const upstream = createUpstream({ a: [[throttled(0)], ['hello']], b: [[spent]] })
    const outcome = await run(pool, upstream.attempt)
    expect(upstream.asked).toEqual(['a', 'b'])
    expect(outcome.error).toMatchObject({ code: 'rate_limit_exceeded', cause: spent })
    clock.advance(1)
    expect((await run(pool, upstream.attempt)).items).toEqual(['hello'])
  })

  test('of an only account the words of the upstream are told, until it is out', async () => {
    const { pool } = createTestPool(['a'])
    const error = throttled(5000)
    const upstream = createUpstream({ a: [[error]] })
    expect((await run(pool, upstream.attempt)).error).toBe(error)
    expect((await run(pool, upstream.attempt)).error).toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: 5000 })
    expect(upstream.asked).toEqual(['a'])
  })

  test('the sticky account comes first, and the next one is the sticky one from then on', async () => {
    const { pool } = createTestPool(['a', 'b', 'c'])
    const upstream = createUpstream({ a: [['one'], [spent]], b: [['two']], c: [['three']] })
    const ask = async (sticky?: string) => (await run(pool, upstream.attempt, { sticky })).items.join()
    expect(await ask('session')).toBe('one')
    expect(await ask('session')).toBe('two')
    expect(await ask()).toBe('three')
    expect(await ask('session')).toBe('two')
  })
})

describe('after the first item', () => {
  test('a failure is recorded and thrown, and nothing is yielded again', async () => {
    const { pool } = createTestPool(['a', 'b'])
    const upstream = createUpstream({ a: [['half', spent]], b: [['whole']] })
    const outcome = await run(pool, upstream.attempt)
    expect(outcome).toEqual({ items: ['half'], error: spent })
    expect(upstream.asked).toEqual(['a'])
    expect(states(pool)).toBe('quota-exhausted ok')
    expect(active(pool)).toBe(0)
  })

  test('a probe is over: the others need not wait for the whole answer', async () => {
    const { pool, clock } = createTestPool(['a'])
    failWith(pool, 'a', throttled())
    clock.advance(60_000)
    const upstream = createUpstream({ a: [['one', 'two']] })
    const items = withAccounts(pool, { signal: new AbortController().signal }, upstream.attempt)
    await items.next()
    expect(states(pool)).toBe('ok')
    await items.return()
    expect(upstream.left).toEqual(['a'])
    expect(active(pool)).toBe(0)
  })
})

test('an answer without a single item is an answer', async () => {
  const { pool, clock } = createTestPool(['a'])
  failWith(pool, 'a', throttled())
  clock.advance(60_000)
  expect(await run(pool, createUpstream({ a: [[]] }).attempt)).toEqual({ items: [], error: undefined })
  expect(states(pool)).toBe('ok')
})

test('nothing happens before the first item is asked for', async () => {
  const { pool } = createTestPool(['a'])
  const upstream = createUpstream({ a: [['hello']] })
  withAccounts(pool, { signal: new AbortController().signal }, upstream.attempt)
  expect(upstream.asked).toEqual([])
  expect(statusOf(pool, 'a').requestsToday).toBe(0)
})

test('a client that leaves is no failure of the account, whatever the attempt says to it', async () => {
  const { pool } = createTestPool(['a', 'b'])
  const leaving = new AbortController()
  const upstream = createUpstream({ a: [[spent]], b: [['hello']] })
  const attempt = (lease: Lease): AsyncIterable<string> => {
    leaving.abort()
    return upstream.attempt(lease)
  }
  const outcome = await run(pool, attempt, { signal: leaving.signal })
  expect(outcome.error).toBe(spent)
  expect(states(pool)).toBe('ok ok')
  expect(active(pool)).toBe(0)
})

test('one answer instead of many items', async () => {
  const { pool } = createTestPool(['a', 'b'])
  const options = { signal: new AbortController().signal }
  const answer = await withAccount(pool, options, async ({ name }) => {
    if (name === 'a') throw spent
    return undefined
  })
  expect(answer).toBeUndefined()
  expect(states(pool)).toBe('quota-exhausted ok')
  const aborted = new GatewayError('aborted', 'gone')
  await expect(withAccount(pool, options, () => Promise.reject(aborted))).rejects.toBe(aborted)
  expect(states(pool)).toBe('quota-exhausted ok')
  expect(active(pool)).toBe(0)
})
