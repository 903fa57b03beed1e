import { ChatRequest, GatewayError, type Frames, type Upstream } from '@millrace/core'
import { expect, test } from 'vitest'
import { demo } from './index.ts'

const UNUSED: Upstream = { request: () => Promise.reject(new Error('The demo has no upstream.')) }
const HEAD = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'demo/echo', includeUsage: false }
const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 }
const provider = demo.open({ kind: 'demo' }, { upstream: UNUSED, timeouts: TIMEOUTS })

function chat(text: string, signal: AbortSignal = new AbortController().signal): Frames {
  const request = ChatRequest.parse({ model: 'demo/echo', messages: [{ role: 'user', content: text }] })
  return provider.chat(request, { model: 'echo', head: HEAD, stream: true, signal, requestId: 'req_test' })
}

test('words come one by one, the first at once', async () => {
  const batches: number[] = []
  const began = performance.now()
  let firstMs = 0
  for await (const batch of chat('one two three')) {
    if (batches.length === 0) firstMs = performance.now() - began
    batches.push(batch.length)
  }
  // The role goes with the first word, the reason with the usage.
  expect(batches).toEqual([2, 1, 1, 2])
  expect(firstMs).toBeLessThan(performance.now() - began - 100)
})

test('aborted between two words, it fails at once with the reason', async () => {
  const aborting = new AbortController()
  const reason = new GatewayError('gateway_shutdown', 'Enough.')
  const frames = chat('one two', aborting.signal)[Symbol.asyncIterator]()
  await frames.next()
  const next = frames.next()
  aborting.abort(reason)
  await expect(next).rejects.toBe(reason)
  expect(await frames.next()).toEqual({ done: true, value: undefined })
})

test('aborted before it began, it says one word at most', async () => {
  const reason = new GatewayError('aborted', 'Gone.')
  const frames = chat('one two', AbortSignal.abort(reason))
  const said: unknown[] = []
  await expect(
    (async () => {
      for await (const batch of frames) said.push(batch)
    })(),
  ).rejects.toBe(reason)
  expect(said.length).toBeLessThanOrEqual(1)
})

test('it lists its models, and says that it knows no stop sequences', async () => {
  const models = await provider.models(new AbortController().signal)
  expect(models.map(({ id }) => id)).toEqual(['echo', 'fast'])
  expect(provider.lacks).toEqual({ stop: true })
})

test('its configuration has nothing but the kind', () => {
  expect(demo.config.safeParse({ kind: 'demo' }).success).toBe(true)
  expect(demo.config.safeParse({ kind: 'demo', pace: 1 }).success).toBe(false)
})
