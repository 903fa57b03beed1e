import { run, type Frame, type Frames } from '@millrace/core'
import { expect, test } from 'vitest'
import { orAgain } from './or-again.ts'

const FRAMES = ['a', 'b', 'c'].map(id => ({ chunk: { id } }) as unknown as Frame)
const fault = new Error('fault')

/** These frames, one a batch, and then the error. */
async function* frames(count: number, error?: Error): Frames {
  for (const frame of FRAMES.slice(0, count)) yield [frame]
  if (error !== undefined) throw error
}

/** What came, and what was thrown. */
async function gather(flow: Frames): Promise<{ ids: string[]; failure: unknown }> {
  const ids: string[] = []
  const failure = await run(flow, batch => void ids.push(...batch.map(({ chunk }) => chunk.id))).catch(
    (error: unknown) => error,
  )
  return { ids, failure }
}

test('an attempt that succeeds is the only one', async () => {
  expect(await gather(orAgain(frames(2), () => frames(3)))).toEqual({ ids: ['a', 'b'], failure: undefined })
})

test('an attempt that fails before it gave anything is followed by another', async () => {
  const seen: unknown[] = []
  const again = async (error: unknown): Promise<Frames> => {
    seen.push(error)
    return frames(3)
  }
  expect(await gather(orAgain(frames(0, fault), again))).toEqual({ ids: ['a', 'b', 'c'], failure: undefined })
  expect(seen).toEqual([fault])
})

test('an attempt that has begun is the last one', async () => {
  expect(await gather(orAgain(frames(1, fault), () => frames(3)))).toEqual({ ids: ['a'], failure: fault })
})

test('a failure that another attempt does not mend stands', async () => {
  expect(await gather(orAgain(frames(0, fault), () => undefined))).toEqual({ ids: [], failure: fault })
})

test('the second attempt is the last one', async () => {
  const other = new Error('other')
  expect(await gather(orAgain(frames(0, fault), () => frames(0, other)))).toEqual({ ids: [], failure: other })
})
