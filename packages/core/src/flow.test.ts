import { describe, expect, it } from 'vitest'
import { createFlow, run, type Flow, type Sink } from './flow.ts'

/** A flow of numbers from 1 to `count` that keeps the rules, and tells whether its source was closed early. */
function numbers(count: number, failure?: Error): { flow: Flow<number>; closed: () => boolean } {
  let closed = false
  const flow = createFlow<number>(async sink => {
    for (let item = 1; item <= count; item++) {
      try {
        if ((await sink(item)) === false) {
          closed = true
          return
        }
      } catch (error) {
        closed = true
        throw error
      }
    }
    if (failure !== undefined) throw failure
  })
  return { flow, closed: () => closed }
}

async function* generated(count: number): AsyncGenerator<number> {
  for (let item = 1; item <= count; item++) yield item
}

async function gather(items: AsyncIterable<number>): Promise<number[]> {
  const gathered: number[] = []
  for await (const item of items) gathered.push(item)
  return gathered
}

describe.each([
  ['a flow', (count: number) => numbers(count).flow],
  ['a generator', generated],
])('run over %s', (_name, create) => {
  it('hands on all items in order', async () => {
    const items: number[] = []
    await run(create(4), item => void items.push(item))
    expect(items).toEqual([1, 2, 3, 4])
  })

  it('waits for a sink that takes its time', async () => {
    let busy = 0
    let most = 0
    await run(create(5), async () => {
      most = Math.max(most, ++busy)
      await Promise.resolve()
      busy--
    })
    expect(most).toBe(1)
  })

  it.each([
    ['at once', (item: number) => item < 2],
    ['by a promise', async (item: number) => item < 2],
  ])('ends when the sink says %s that it has enough', async (_how, enough) => {
    const items: number[] = []
    await run(create(9), item => {
      items.push(item)
      return enough(item)
    })
    expect(items).toEqual([1, 2])
  })

  it.each<[string, Sink<number>]>([
    [
      'throws',
      () => {
        throw new Error('full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
  ])('fails with what the sink %s', async (_how, sink) => {
    await expect(run(create(3), sink)).rejects.toThrow('full')
  })
})

describe('iterating over a flow', () => {
  it('gives what running it gives', async () => {
    expect(await gather(numbers(5).flow)).toEqual([1, 2, 3, 4, 5])
    expect(await gather(numbers(0).flow)).toEqual([])
  })

  it('throws its failure behind the items before it', async () => {
    const items: number[] = []
    const { flow } = numbers(2, new Error('broken'))
    await expect(async () => {
      for await (const item of flow) items.push(item)
    }).rejects.toThrow('broken')
    expect(items).toEqual([1, 2])
  })

  it('asks for an item only when it is wanted', async () => {
    let given = 0
    const flow = createFlow<number>(async sink => {
      for (;;) if ((await sink(++given)) === false) return
    })
    const iterator = flow[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    expect(given).toBe(2)
    await iterator.return?.()
    expect(given).toBe(2)
  })

  it('closes the source when it is left early', async () => {
    const { flow, closed } = numbers(9)
    for await (const item of flow) if (item === 3) break
    expect(closed()).toBe(true)
  })

  it('starts nothing before the first item is asked for', () => {
    let started = false
    createFlow<number>(async () => {
      started = true
    })[Symbol.asyncIterator]()
    expect(started).toBe(false)
  })
})
