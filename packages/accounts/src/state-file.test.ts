import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { KeptAccount, KeptAccounts } from '@millrace/core'
import { createManualClock } from './manual-clock.ts'
import type { AccountSpec } from './roster.ts'
import { openStateFile } from './state-file.ts'
import { prepareScript, repeat } from './test-process.ts'
import { createTestPool, failWith, refused, spent, statusOf, take, throttled, use } from './test-pool.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'states', 'accounts.json')
})
afterEach(() => rm(folder, { recursive: true }))

const none = (): KeptAccounts => new Map()

function account(requests: number): KeptAccount {
  return { state: { state: 'ok', since: 1, reason: '' }, day: 1, requests }
}

function withFingerprint(fingerprint: string): AccountSpec[] {
  return ['a', 'b'].map(name => ({ name, fingerprint }))
}

describe('a pool over a restart', () => {
  test('knows its states, the last use and the requests of the day', async () => {
    {
      await using states = await openStateFile(path)
      const { pool, clock } = createTestPool(['a', 'b', 'c', 'd', 'e'], { states })
      failWith(pool, 'a', throttled(60_000))
      failWith(pool, 'b', spent)
      failWith(pool, 'c', refused)
      pool.disable('d')
      use(pool)
      clock.advance(1000)
    }
    await using states = await openStateFile(path)
    const { pool, clock } = createTestPool(['a', 'b', 'c', 'd', 'e', 'f'], { states })
    clock.advance(10_000)
    const [a, b, c, d, e, f] = pool.list()
    expect(a).toMatchObject({ state: { state: 'rate-limited', reason: 'slow down' }, requestsToday: 1 })
    expect(b).toMatchObject({ state: { state: 'quota-exhausted', failures: 1 }, requestsToday: 1 })
    expect(c).toMatchObject({ state: { state: 'auth-expired', reason: 'bad key' } })
    expect(d).toMatchObject({ state: { state: 'disabled' }, requestsToday: 0 })
    expect(e).toMatchObject({ state: { state: 'ok' }, requestsToday: 1, lastUsedAt: clock.now() - 10_000 })
    expect(f).toMatchObject({ state: { state: 'ok' }, requestsToday: 0, lastUsedAt: undefined })
    expect([use(pool), use(pool), use(pool)]).toEqual(['f', 'e', 'f'])
    clock.advance(50_000)
    expect(take(pool)).toMatchObject({ name: 'a', probe: true })
  })

  test('knows nothing of an account whose credential is another now, but that it was switched off', async () => {
    {
      await using states = await openStateFile(path)
      const { pool } = createTestPool(withFingerprint('old'), { states })
      failWith(pool, 'a', refused)
      pool.disable('b')
    }
    await using states = await openStateFile(path)
    const { pool } = createTestPool(withFingerprint('new'), { states })
    expect(statusOf(pool, 'a').state.state).toBe('ok')
    expect(statusOf(pool, 'b').state.state).toBe('disabled')
  })

  test('one that takes the place of another, as after a reload, knows what that knew', async () => {
    await using states = await openStateFile(path)
    failWith(createTestPool(['a'], { states }).pool, 'a', refused)
    const { pool } = createTestPool(['a'], { states })
    expect(statusOf(pool, 'a').state.state).toBe('auth-expired')
  })
})

describe('the file', () => {
  test('is written at once, then at most once a second, and when it is closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const states = await openStateFile(path)
      let requests = 0
      states.attach('qwen', () => new Map([['a', account(requests)]]))
      const use = () => {
        requests++
        states.changed()
      }
      const written = async () => {
        const text = await readFile(path, 'utf8')
        return (JSON.parse(text) as { providers: { qwen: { a: KeptAccount } } }).providers.qwen.a.requests
      }
      use()
      use()
      vi.advanceTimersByTime(0)
      expect(vi.getTimerCount()).toBe(0)
      await states.flush()
      expect(await written()).toBe(2)
      for (let count = 0; count < 9; count++) {
        use()
        vi.advanceTimersByTime(100)
        // Still to be written.
        expect(vi.getTimerCount()).toBe(1)
      }
      vi.advanceTimersByTime(100)
      expect(vi.getTimerCount()).toBe(0)
      await states.flush()
      expect(await written()).toBe(11)
      use()
      await states[Symbol.asyncDispose]()
      expect(await written()).toBe(12)
      use()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('is for its owner only', async () => {
    await using states = await openStateFile(path)
    states.attach('qwen', none)
    states.changed()
    await states.flush()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'states'))).mode & 0o777).toBe(0o700)
  })

  test('keeps what is known of providers that are not in use', async () => {
    for (const provider of ['qwen', 'amazon-q', '__proto__']) {
      await using states = await openStateFile(path)
      states.attach(provider, () => new Map([['constructor', account(7)]]))
      states.changed()
    }
    await using states = await openStateFile(path)
    for (const provider of ['qwen', 'amazon-q', '__proto__']) {
      expect(states.attach(provider, none).get('constructor')?.requests).toBe(7)
    }
    expect(states.attach('toString', none).size).toBe(0)
  })

  test.each([
    '',
    '{"version":1,"providers":{"qwen"',
    '[]',
    'null',
    '{"version":2,"providers":{}}',
    '\u0000'.repeat(100),
  ])('is set aside when it holds %j', async text => {
    path = join(folder, 'accounts.json')
    await writeFile(path, text)
    const problems: string[] = []
    const clock = createManualClock()
    {
      await using states = await openStateFile(path, { onProblem: message => problems.push(message), clock })
      expect(states.attach('qwen', none).size).toBe(0)
      states.changed()
    }
    const aside = `accounts.json.corrupt-${clock.now()}`
    expect(problems).toEqual([
      `${path} does not hold account states. It was set aside as ${join(folder, aside)}. All accounts start afresh.`,
    ])
    expect(await readdir(folder)).toEqual(['accounts.json', aside])
    expect(await readFile(join(folder, aside), 'utf8')).toBe(text)
  })

  test.each([
    ['a state of its own', { state: { state: 'odd', since: 1 } }],
    ['no state', { requests: 1 }],
    ['a rate limit without an end', { state: { state: 'rate-limited', since: 1, reason: '' } }],
    ['a time that is none', { state: { state: 'ok', since: 'today', reason: '' } }],
    ['a list', []],
    ['a word', 'ok'],
  ])('is read without an account that has %s', async (_what, entry) => {
    path = join(folder, 'accounts.json')
    const good = { state: { state: 'suspended', since: 1, reason: 'why', failures: 1 }, day: 1, requests: 2 }
    await writeFile(path, JSON.stringify({ version: 1, providers: { other: 5, qwen: { entry, good } } }))
    const problems: string[] = []
    await using states = await openStateFile(path, { onProblem: message => problems.push(message) })
    expect(states.attach('qwen', none)).toEqual(new Map([['good', good]]))
    expect(states.attach('other', none).size).toBe(0)
    expect(problems).toEqual([])
  })

  test('that cannot be written is told of once; the states are kept in memory, and written when it can be', async () => {
    const problems: string[] = []
    const where = join(folder, 'place')
    // A file where a folder should be stands in the way of every user, root included.
    await writeFile(where, '')
    await using states = await openStateFile(join(where, 'accounts.json'), {
      onProblem: message => problems.push(message),
    })
    const { pool } = createTestPool(['a', 'b'], { states })
    for (let count = 0; count < 3; count++) {
      failWith(pool, 'a', spent)
      pool.clear('a')
      await states.flush()
    }
    const memoryOnly = problems.filter(message => message.includes('kept in memory only'))
    expect(memoryOnly).toEqual([
      `The account states are kept in memory only, as ${join(where, 'accounts.json')} cannot be written: EEXIST.`,
    ])
    await rm(where)
    await states.flush()
    expect(use(pool)).toBe('b')
    expect(await readdir(where)).toEqual(['accounts.json'])
  })
})

test('a process that is not the only one to write the file is told so, once', async () => {
  const told: string[] = []
  const clock = createManualClock()
  await using states = await openStateFile(path, { clock, onProblem: message => told.push(message) })
  async function write(): Promise<void> {
    clock.advance(2000)
    states.changed()
    await states.flush()
  }
  await write()
  await write()
  expect(told).toEqual([])
  for (let round = 0; round < 2; round++) {
    await using other = await openStateFile(path)
    other.changed()
    await other.flush()
    await write()
  }
  expect(told).toEqual([expect.stringContaining(`Another process writes ${path} as well`)])
})

test('the file is whole whenever its writer is killed, 100 of 100 times', async () => {
  const script = await prepareScript(
    `
    import { openStateFile } from ${JSON.stringify(new URL('state-file.ts', import.meta.url).href)}
    const [path] = process.argv.slice(1)
    if (path === undefined) process.exit()
    const states = await openStateFile(path)
    let requests = states.attach('qwen', () => new Map()).get('account 0')?.requests ?? 0
    const state = { state: 'ok', since: 1, reason: 'x'.repeat(300) }
    const names = Array.from({ length: 200 }, (_, index) => 'account ' + index)
    states.attach('qwen', () => new Map(names.map(name => [name, { state, day: 1, requests }])))
    for (;;) {
      requests++
      states.changed()
      await states.flush()
      process.stdout.write('.')
    }
    `,
    folder,
  )
  const latest = [0, 0]
  await repeat(async index => {
    const file = join(folder, `accounts-${index % 2}.json`)
    await script.startAndKill(1 + (index % 7), file)
    const problems: string[] = []
    await using states = await openStateFile(file, { onProblem: message => problems.push(message) })
    const counts = new Set(Array.from(states.attach('qwen', none).values(), ({ requests }) => requests))
    expect(problems).toEqual([])
    expect(counts.size).toBe(1)
    const [count] = counts
    expect(count).toBeGreaterThan(latest[index % 2]!)
    latest[index % 2] = count!
  })
})
