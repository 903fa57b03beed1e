import { describe, expect, it } from 'vitest'
import { createStreamText } from './answers.ts'
import { nowUs } from './clock.ts'
import { createEventReader } from './event-reader.ts'

function read(body: string, size: number): { stamps: number[]; done: number } {
  const stamps: number[] = []
  let done = 0
  const feed = createEventReader({ stamped: us => stamps.push(us), done: () => done++ })
  for (let at = 0; at < body.length; at += size) feed(body.slice(at, at + size))
  return { stamps, done }
}

describe('createEventReader', () => {
  it.each([1, 5, 300, 100_000])('finds the stamps of what the upstream writes, %i bytes at a time', size => {
    const text = createStreamText()
    const from = nowUs()
    const body = text.role + Array.from({ length: 40 }, () => text.event()).join('') + text.ending()
    const { stamps, done } = read(body, size)
    expect(stamps).toHaveLength(40)
    expect(Math.min(...stamps)).toBeGreaterThanOrEqual(Math.floor(from))
    expect(Math.max(...stamps)).toBeLessThanOrEqual(Math.ceil(nowUs()))
    expect(done).toBe(1)
  })

  it('takes an event for complete at its empty line, and not before', () => {
    const { stamps, done } = read('data: {"content":"@000000000000042 word"}\n\n: beat\n\ndata: [DONE]\n', 1000)
    expect(stamps).toEqual([42])
    expect(done).toBe(0)
  })
})
