import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { tryLock, type Lock } from './lock-file.ts'
import { createManualClock } from './manual-clock.ts'

const HOLD_MS = 12_000

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'file.lock')
})
afterEach(() => rm(folder, { recursive: true }))

async function take(clock = createManualClock()): Promise<Lock> {
  const lock = await tryLock(path, { holdMs: HOLD_MS, clock })
  if (lock === undefined) throw new Error('another one holds it')
  return lock
}

/** A lock as another process would have made it. */
function holder(pid: number, { host = hostname(), clock = createManualClock(), fence = 1 } = {}): string {
  return JSON.stringify({ owner: `${host}:${pid}:x`, fence, expiresAt: clock.now() + HOLD_MS })
}

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid!
}

test('one at a time', async () => {
  const clock = createManualClock()
  const lock = await take(clock)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await tryLock(path, { holdMs: HOLD_MS, clock })).toBeUndefined()
  expect(await lock.isHeld()).toBe(true)
  await lock.release()
  expect(await readdir(folder)).toEqual([])
  expect(await lock.isHeld()).toBe(false)
  await take(clock)
})

test('the file tells the owner, the fencing number and when it expires', async () => {
  const clock = createManualClock()
  const { fence } = await take(clock)
  const { owner, ...others } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  expect(others).toEqual({ fence, expiresAt: clock.now() + HOLD_MS })
  expect(owner).toContain(`${hostname()}:${process.pid}:`)
})

test('of many who try at once one has it, also where an expired one is in the way', async () => {
  const clock = createManualClock()
  for (let round = 0; round < 20; round++) {
    const locks = await Promise.all(Array.from({ length: 10 }, () => tryLock(path, { holdMs: HOLD_MS, clock })))
    const held = await Promise.all(locks.map(lock => lock?.isHeld()))
    expect(held.filter(Boolean)).toHaveLength(1)
    clock.advance(HOLD_MS)
  }
})

test('one that expired is taken over, with a greater number, and its holder can tell', async () => {
  const clock = createManualClock()
  const first = await take(clock)
  clock.advance(HOLD_MS - 1)
  expect(await tryLock(path, { holdMs: HOLD_MS, clock })).toBeUndefined()
  clock.advance(1)
  const second = await take(clock)
  expect(second.fence).toBeGreaterThan(first.fence)
  expect(await first.isHeld()).toBe(false)
  await first.release()
  expect(await second.isHeld()).toBe(true)
})

test('the number grows even while the wall clock goes back', async () => {
  const clock = createManualClock()
  const first = await take(clock)
  clock.jump(-3_600_000)
  const second = await take(clock)
  expect(second.fence).toBeGreaterThan(first.fence)
})

describe('of a process that died', () => {
  test('is taken over at once', async () => {
    await writeFile(path, holder(await deadPid()))
    expect(await (await take()).isHeld()).toBe(true)
  })

  test('is taken over at once even if this process has the same number', async () => {
    await writeFile(path, holder(process.pid))
    const before = Date.now() / 1000 - process.uptime() - 10
    await utimes(path, before, before)
    expect(await (await take()).isHeld()).toBe(true)
  })

  test.each([
    ['this process', process.pid, hostname()],
    ['a process of another user', 1, hostname()],
    ['a process of another machine', 999_999_999, 'elsewhere'],
  ])('but not of %s', async (_whose, pid, host) => {
    await writeFile(path, holder(pid, { host }))
    expect(await tryLock(path, { holdMs: HOLD_MS, clock: createManualClock() })).toBeUndefined()
  })
})

describe('of another program, which says nothing that we understand', () => {
  test.each(['', '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed', '{"owner":5}', '[]'])(
    '%j holds until it is old',
    async text => {
      await writeFile(path, text)
      const clock = { ...systemClock, now: () => Date.now() + later }
      let later = 0
      expect(await tryLock(path, { holdMs: HOLD_MS, clock })).toBeUndefined()
      later = HOLD_MS + 10
      expect(await tryLock(path, { holdMs: HOLD_MS, clock })).toBeDefined()
    },
  )
})

test('where no file can be made the error says so', async () => {
  const options = { holdMs: HOLD_MS, clock: createManualClock() }
  await expect(tryLock(join(folder, 'missing', 'file.lock'), options)).rejects.toMatchObject({ code: 'ENOENT' })
})
