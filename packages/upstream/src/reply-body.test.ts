import { createDeadlines, run } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { createReplyBody, type ReplyBody } from './reply-body.ts'

/** A body on a connection that writes down what it is told. */
function createBody(idleMs = 20_000): { body: ReplyBody; told: string[]; expired: Promise<void> } {
  const body = createReplyBody()
  const told: string[] = []
  const { promise: expired, resolve } = Promise.withResolvers<void>()
  const clock = createDeadlines(5).start(20_000, resolve)
  const tell = (word: string) => () => void told.push(word)
  body.open({ pause: tell('pause'), resume: tell('resume'), abort: tell('abort') }, clock, idleMs)
  return { body, told, expired }
}

const MUCH = Buffer.alloc(64 * 1024)

describe('what is read', () => {
  test('comes in one piece where it came at once', async () => {
    const { body } = createBody()
    for (const word of ['one', 'two', 'three']) body.add(Buffer.from(word))
    body.end()
    expect((await Array.fromAsync(body)).map(String)).toEqual(['onetwothree'])
  })

  test('is not copied where it is one read', async () => {
    const { body } = createBody()
    const read = Buffer.from('one')
    body.add(read)
    body.end()
    expect((await Array.fromAsync(body))[0]).toBe(read)
  })

  test('is there before the failure that follows', async () => {
    const { body } = createBody()
    const pieces: string[] = []
    body.add(Buffer.from('one'))
    body.fail(new Error('broken'))
    body.fail(new Error('and again'))
    await expect(run(body, piece => void pieces.push(piece.toString()))).rejects.toThrow('broken')
    expect(pieces).toEqual(['one'])
  })

  test('may be nothing', async () => {
    const { body } = createBody()
    body.end()
    expect(await Array.fromAsync(body)).toEqual([])
  })
})

describe('a slow reader', () => {
  test('pauses the connection, and resumes it when it comes back', async () => {
    const { body, told } = createBody()
    const { promise, resolve } = Promise.withResolvers<void>()
    const running = run(body, () => promise)
    body.add(MUCH)
    await Promise.resolve()
    expect(told).toEqual(['pause', 'resume'])
    body.add(MUCH)
    body.add(MUCH)
    expect(told).toEqual(['pause', 'resume', 'pause'])
    resolve()
    await expect.poll(() => told).toEqual(['pause', 'resume', 'pause', 'resume'])
    body.end()
    await running
  })

  test('does not let the clock run out; silence does', async () => {
    const { body, expired } = createBody(40)
    let over = false
    void expired.then(() => (over = true))
    body.add(MUCH)
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(over).toBe(false)
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    await expired
  })
})

describe('leaving', () => {
  test('closes the connection at once', async () => {
    const { body, told } = createBody()
    body.add(Buffer.from('one'))
    await run(body, () => false)
    expect(told).toEqual(['abort'])
    body.add(Buffer.from('two'))
  })

  test('closes it for a reader that fails, now or later', async () => {
    for (const fail of [
      () => {
        throw new Error('full')
      },
      () => Promise.reject(new Error('full')),
    ]) {
      const { body, told } = createBody()
      body.add(Buffer.from('one'))
      await expect(run(body, fail)).rejects.toThrow('full')
      expect(told).toEqual(['abort'])
    }
  })

  test('leaves it a moment behind a good end, also where it was paused', async () => {
    const { body, told, expired } = createBody()
    body.add(MUCH)
    const left = run(body, () => {
      body.add(MUCH)
      body.endWithin(30)
      return false
    })
    await left
    expect(told).toEqual(['pause', 'resume', 'pause', 'resume'])
    expect(body.isEnding()).toBe(true)
    await expired
  })

  test('closes nothing that is over', async () => {
    const { body, told } = createBody()
    body.add(Buffer.from('one'))
    body.end()
    await run(body, () => false)
    expect(told).toEqual([])
  })
})
