import { GatewayError, type UpstreamRequest } from '@millrace/core'
import { expect, test } from 'vitest'
import { createReplay } from './replay.ts'

const reads = ['a', 'b', 'c'].map(text => Buffer.from(text))

function request(signal: AbortSignal = new AbortController().signal): UpstreamRequest {
  const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 }
  return {
    method: 'POST',
    url: new URL('http://upstream.invalid'),
    headers: {},
    timeouts,
    requestId: 'req_test',
    signal,
  }
}

test('an answer, and what was asked', async () => {
  const replay = createReplay({ status: 201, headers: { a: 'b' }, reads })
  const asked = request()
  const { status, headers, body } = await replay.request(asked)
  expect({ status, headers, asked: replay.asked, connected: replay.connected }).toEqual({
    status: 201,
    headers: { a: 'b' },
    asked: [asked],
    connected: true,
  })
  expect(Buffer.concat(await Array.fromAsync(body)).toString()).toBe('abc')
  expect(replay).toMatchObject({ reads: 3, connected: false })
})

test('a loop that is left closes the connection; a body that nobody reads holds it', async () => {
  const replay = createReplay({ reads })
  const { body } = await replay.request(request())
  for await (const _read of body) {
    expect(replay.connected).toBe(true)
    break
  }
  expect(replay).toMatchObject({ reads: 1, connected: false })
  await replay.request(request())
  expect(replay.connected).toBe(true)
})

test('silence is the end where that was said, and else a failure', async () => {
  const replay = createReplay({ reads, ending: 'silence' })
  const { body } = await replay.request(request())
  await expect(Array.fromAsync(body)).rejects.toMatchObject({ code: 'idle_timeout' })
  const { body: ended } = await replay.request(request())
  ended.endWithin(1)
  expect(await Array.fromAsync(ended)).toEqual(reads)
})

test('a connection that breaks', async () => {
  const ending = new Error('broken')
  const { body } = await createReplay({ reads, ending }).request(request())
  await expect(Array.fromAsync(body)).rejects.toBe(ending)
})

test('an abort ends the call at any time, with the reason where it is one of ours', async () => {
  const reason = new GatewayError('gateway_shutdown', 'Enough.')
  for (const reply of [undefined, { reads, ending: 'open' as const }]) {
    const aborting = new AbortController()
    const replay = createReplay(reply)
    const read = replay.request(request(aborting.signal)).then(({ body }) => Array.fromAsync(body))
    await replay.exhausted
    aborting.abort(reason)
    await expect(read).rejects.toBe(reason)
    expect(replay.connected).toBe(false)
  }
  const aborted = createReplay({ reads }).request(request(AbortSignal.abort()))
  await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
})

test('aborted between two reads, it holds no connection and gives no more', async () => {
  const aborting = new AbortController()
  const replay = createReplay({ reads })
  const { body } = await replay.request(request(aborting.signal))
  const iterator = body[Symbol.asyncIterator]()
  await iterator.next()
  aborting.abort()
  expect(replay.connected).toBe(false)
  await expect(iterator.next()).rejects.toMatchObject({ code: 'aborted' })
  expect(replay.reads).toBe(1)
})
