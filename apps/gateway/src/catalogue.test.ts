import { UpstreamError, type Model, type Provider } from '@millrace/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createCatalogue } from './catalogue.ts'
import type { Route } from './router.ts'

interface Asked {
  readonly signal: AbortSignal
  answer(models: readonly Model[]): void
  fail(error: Error): void
}

/** A provider whose lists the test makes; `asked` are the questions so far. */
function createRoute(name: string, models?: readonly string[]): { route: Route; asked: Asked[] } {
  const asked: Asked[] = []
  const provider: Provider = {
    chat: () => {
      throw new Error('Nobody chats here.')
    },
    models(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Model[]>()
      signal.addEventListener('abort', () => reject(new UpstreamError('connect_timeout', 'Left.')))
      asked.push({ signal, answer: resolve, fail: reject })
      return promise
    },
  }
  return { route: { name, provider, streaming: true, defaultModel: undefined, models }, asked }
}

function ignore(): void {}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('lists', () => {
  test('come from the configuration, and nobody is asked', async () => {
    const { route, asked } = createRoute('local', ['llama3', 'org/large'])
    expect(await createCatalogue([route], ignore).list()).toEqual([
      { id: 'local/llama3', provider: 'local' },
      { id: 'local/org/large', provider: 'local' },
    ])
    expect(asked).toEqual([])
  })

  test('come from the upstreams, with what they say, in the order of the providers', async () => {
    const [first, second] = [createRoute('first'), createRoute('second')]
    const listing = createCatalogue([first.route, second.route], ignore).list()
    second.asked[0]!.answer([{ id: 'b' }])
    first.asked[0]!.answer([{ id: 'a', created: 5, owned_by: 'us' }])
    expect(await listing).toEqual([
      { id: 'first/a', created: 5, owned_by: 'us', provider: 'first' },
      { id: 'second/b', provider: 'second' },
    ])
  })

  test('many who want it at once cost one question', async () => {
    const { route, asked } = createRoute('local')
    const catalogue = createCatalogue([route], ignore)
    const listings = Array.from({ length: 5 }, () => catalogue.list())
    asked[0]!.answer([{ id: 'a' }])
    for (const listing of listings) expect(await listing).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })

  test('are kept for a minute, and given meanwhile when they are asked for anew', async () => {
    const { route, asked } = createRoute('local')
    const catalogue = createCatalogue([route], ignore)
    const first = catalogue.list()
    asked[0]!.answer([{ id: 'old' }])
    await first
    vi.advanceTimersByTime(59_000)
    await catalogue.list()
    expect(asked).toHaveLength(1)

    vi.advanceTimersByTime(1000)
    expect(await catalogue.list()).toMatchObject([{ id: 'local/old' }])
    expect(asked).toHaveLength(2)
    asked[1]!.answer([{ id: 'new' }])
    await vi.waitFor(async () => expect(await catalogue.list()).toMatchObject([{ id: 'local/new' }]))
    expect(asked).toHaveLength(2)
  })
})

describe('an upstream that does not list', () => {
  test('is told, and leaves the lists of others alone', async () => {
    const [good, bad] = [createRoute('good', ['a']), createRoute('bad')]
    const told: unknown[] = []
    const listing = createCatalogue([bad.route, good.route], (...failure) => told.push(failure)).list()
    const error = new UpstreamError('connect_failed', 'Nobody there.')
    bad.asked[0]!.fail(error)
    expect(await listing).toEqual([{ id: 'good/a', provider: 'good' }])
    expect(told).toEqual([['bad', error]])
  })

  test('is asked again soon, but not each time', async () => {
    const { route, asked } = createRoute('bad')
    const catalogue = createCatalogue([route], ignore)
    const first = catalogue.list()
    asked[0]!.fail(new Error('down'))
    expect(await first).toEqual([])
    vi.advanceTimersByTime(4999)
    expect(await catalogue.list()).toEqual([])
    expect(asked).toHaveLength(1)
    vi.advanceTimersByTime(1)
    const again = catalogue.list()
    asked[1]!.answer([{ id: 'up' }])
    expect(await again).toMatchObject([{ id: 'bad/up' }])
  })

  test('keeps the list it gave before', async () => {
    const { route, asked } = createRoute('local')
    const catalogue = createCatalogue([route], ignore)
    const first = catalogue.list()
    asked[0]!.answer([{ id: 'a' }])
    await first
    vi.advanceTimersByTime(60_000)
    await catalogue.list()
    asked[1]!.fail(new Error('down'))
    expect(await catalogue.list()).toMatchObject([{ id: 'local/a' }])
  })

  test('is not waited for longer than three seconds', async () => {
    const { route, asked } = createRoute('slow')
    const told: unknown[] = []
    const began = Date.now()
    expect(await createCatalogue([route], (_name, error) => told.push(error)).list()).toEqual([])
    expect(Date.now() - began).toBeGreaterThanOrEqual(2900)
    expect(asked[0]!.signal.aborted).toBe(true)
    expect(told).toMatchObject([{ code: 'upstream_timeout' }])
  })
})
