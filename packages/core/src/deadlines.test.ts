import { execFile } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDeadlines } from './deadlines.ts'

const TICK = 10

describe('on a clock that the test moves', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('ends after its limit, at most one tick late', () => {
    const deadlines = createDeadlines(TICK)
    const expire = vi.fn<() => void>()
    vi.advanceTimersByTime(3)
    deadlines.start(35, expire)
    vi.advanceTimersByTime(34)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1 + TICK)
    expect(expire).toHaveBeenCalledOnce()
    expect(deadlines.size).toBe(0)
  })

  test('ends a whole limit after the last touch, at most two ticks late', () => {
    const expire = vi.fn<() => void>()
    const deadline = createDeadlines(TICK).start(35, expire)
    for (let count = 0; count < 10; count++) {
      vi.advanceTimersByTime(27)
      deadline.touch()
    }
    vi.advanceTimersByTime(34)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1 + 2 * TICK)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('a touch can bring another limit, which later touches keep', () => {
    const expire = vi.fn<() => void>()
    const deadline = createDeadlines(TICK).start(1000, expire)
    deadline.touch(20)
    vi.advanceTimersByTime(15)
    deadline.touch()
    vi.advanceTimersByTime(19)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1 + 2 * TICK)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('a new limit counts from now, also right after a touch', () => {
    const expire = vi.fn<() => void>()
    const deadline = createDeadlines(TICK).start(1000, expire)
    deadline.touch()
    deadline.touch(20)
    vi.advanceTimersByTime(20 + TICK)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('ends once, whatever happens to it later', () => {
    const expire = vi.fn<() => void>()
    const deadline = createDeadlines(TICK).start(20, expire)
    vi.advanceTimersByTime(100)
    deadline.touch()
    deadline.touch(10)
    vi.advanceTimersByTime(1000)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('does not end when it was cleared', () => {
    const expire = vi.fn<() => void>()
    createDeadlines(TICK).start(20, expire).clear()
    vi.advanceTimersByTime(1000)
    expect(expire).not.toHaveBeenCalled()
  })

  test('Infinity never ends', () => {
    const deadlines = createDeadlines(TICK)
    const expire = vi.fn<() => void>()
    deadlines.start(Infinity, expire).touch()
    vi.advanceTimersByTime(100_000)
    expect(expire).not.toHaveBeenCalled()
    expect(deadlines.size).toBe(1)
  })

  test('an end may clear others and start new ones', () => {
    const deadlines = createDeadlines(TICK)
    const other = vi.fn<() => void>()
    const next = vi.fn<() => void>()
    deadlines.start(TICK, () => {
      later.clear()
      deadlines.start(TICK, next)
    })
    const later = deadlines.start(TICK, other)
    vi.advanceTimersByTime(5 * TICK)
    expect(other).not.toHaveBeenCalled()
    expect(next).toHaveBeenCalledOnce()
  })

  test('the timer stops when nothing is waited for, and starts again', () => {
    const deadlines = createDeadlines(TICK)
    const expire = vi.fn<() => void>()
    expect(vi.getTimerCount()).toBe(0)
    for (let round = 0; round < 2; round++) {
      deadlines.start(TICK, expire)
      expect(vi.getTimerCount()).toBe(1)
      vi.advanceTimersByTime(3 * TICK)
      expect(vi.getTimerCount()).toBe(0)
    }
    expect(expire).toHaveBeenCalledTimes(2)
  })
})

test('a touch counts from when it happened, even right after the event loop stood still', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const deadline = createDeadlines(TICK).start(100, resolve)
  const stuckUntil = performance.now() + 80
  while (performance.now() < stuckUntil);
  deadline.touch()
  const touchedAt = performance.now()
  await promise
  expect(performance.now() - touchedAt).toBeGreaterThanOrEqual(100)
})

test('a deadline that was cleared holds nothing of whoever it was for', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const deadlines = createDeadlines(TICK)
  const start = () => {
    const waiting = { expire: () => undefined }
    return { deadline: deadlines.start(60_000, () => waiting.expire()), waiting: new WeakRef(waiting) }
  }
  const { deadline, waiting } = start()
  await nextTurn()
  collect()
  expect(waiting.deref()).toBeDefined()
  deadline.clear()
  await nextTurn()
  collect()
  expect(waiting.deref()).toBeUndefined()
  deadline.clear()
})

test('a process that waits for nothing more can end', async () => {
  const script = `
    import { createDeadlines } from ${JSON.stringify(new URL('deadlines.ts', import.meta.url).href)}
    createDeadlines().start(3600_000, () => {}).clear()
  `
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 })
  await expect(run).resolves.toBeDefined()
})
