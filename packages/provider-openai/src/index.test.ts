import { createReplay } from '@millrace/conformance'
import { ChatRequest, type Frames, type Upstream, type UpstreamRequest } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { openai } from './index.ts'

const HEAD = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'as/asked-for', includeUsage: true }
const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 10_000 }
const HELLO = { model: 'as/asked-for', messages: [{ role: 'user', content: 'Hello' }] }
const ANSWER = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

const reply = (text: string, status = 200): Upstream => createReplay({ status, reads: [Buffer.from(text)] })
const refusal = (words: string): string => JSON.stringify({ error: { message: words, type: 'invalid_request_error' } })

/** An upstream that gives one answer after the other, and what it was asked. */
function inTurn(...replies: readonly Upstream[]): Upstream & { readonly asked: UpstreamRequest[] } {
  const asked: UpstreamRequest[] = []
  return {
    asked,
    request(request) {
      asked.push(request)
      return replies[asked.length - 1]!.request(request)
    },
  }
}

function open(upstream: Upstream, settings: Readonly<Record<string, unknown>> = {}): ReturnType<typeof openai.open> {
  const config = openai.config.parse({ kind: 'openai', baseUrl: 'https://upstream.invalid/v1', ...settings })
  return openai.open(config, { upstream, timeouts: TIMEOUTS })
}

function chat(provider: ReturnType<typeof open>, { stream = true } = {}): Frames {
  const signal = new AbortController().signal
  return provider.chat(ChatRequest.parse(HELLO), { model: 'm', head: HEAD, stream, signal, requestId: 'req_test' })
}

async function read(frames: Frames): Promise<{ readonly text: string; readonly failure: unknown }> {
  let text = ''
  try {
    for await (const batch of frames) for (const { chunk } of batch) text += chunk.choices[0]?.delta.content ?? ''
  } catch (failure) {
    return { text, failure }
  }
  return { text, failure: undefined }
}

const bodyOf = (request: UpstreamRequest | undefined): unknown => JSON.parse(request?.body?.toString() ?? '')

describe('an upstream that refuses `stream_options`', () => {
  test('is asked once more without it, and from then on', async () => {
    const upstream = inTurn(reply(refusal('Unknown parameter: stream_options'), 400), reply(ANSWER), reply(ANSWER))
    const provider = open(upstream)
    expect(await read(chat(provider))).toEqual({ text: 'Hi', failure: undefined })
    expect(await read(chat(provider))).toEqual({ text: 'Hi', failure: undefined })
    expect(upstream.asked.map(bodyOf)).toMatchObject([{ stream_options: { include_usage: true } }, {}, {}])
    for (const request of upstream.asked.slice(1)) expect(bodyOf(request)).not.toHaveProperty('stream_options')
  })

  test('is asked no third time', async () => {
    const upstream = inTurn(...[1, 2].map(() => reply(refusal('Unknown parameter: stream_options'), 400)))
    expect(await read(chat(open(upstream)))).toMatchObject({ failure: { code: 'upstream_rejected' } })
    expect(upstream.asked).toHaveLength(2)
  })

  test('is not asked again when the answer has begun', async () => {
    const begun = `data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\ndata: ${refusal('stream_options')}\n\n`
    const upstream = inTurn(reply(begun))
    expect(await read(chat(open(upstream)))).toMatchObject({ text: 'Hi', failure: { code: 'upstream_rejected' } })
    expect(upstream.asked).toHaveLength(1)
  })

  test('another refusal is not answered', async () => {
    const upstream = inTurn(reply(refusal('Unknown parameter: seed'), 400))
    expect(await read(chat(open(upstream)))).toMatchObject({ failure: { code: 'upstream_rejected' } })
    expect(upstream.asked).toHaveLength(1)
  })
})

test.for([
  ['https://upstream.invalid/v1', 'https://upstream.invalid/v1/chat/completions'],
  ['https://upstream.invalid/v1//', 'https://upstream.invalid/v1/chat/completions'],
  ['https://upstream.invalid/openai/v1/chat/completions', 'https://upstream.invalid/openai/v1/chat/completions'],
] as const)('with the base URL %s it asks %s', async ([baseUrl, expected]) => {
  const upstream = inTurn(reply(ANSWER))
  await read(chat(open(upstream, { baseUrl })))
  expect(upstream.asked[0]?.url.href).toBe(expected)
})

test('it sends its key, its headers, and what it wants to get', async () => {
  const upstream = inTurn(reply(ANSWER), reply(ANSWER))
  const provider = open(upstream, { apiKey: 'test-key', headers: { 'x-team': 'blue' } })
  await read(chat(provider))
  await read(chat(provider, { stream: false }))
  const [streamed, whole] = upstream.asked
  const headers = { authorization: 'Bearer test-key', 'x-team': 'blue', 'content-type': 'application/json' }
  expect(streamed?.headers).toEqual({ ...headers, accept: 'text/event-stream' })
  expect(whole?.headers).toEqual({ ...headers, accept: 'application/json' })
  expect([streamed, whole].map(request => request?.timeouts.firstByte)).toEqual([1000, 5000])
})

test('no failure repeats a key or a header', async () => {
  const settings = { apiKey: 'made-up-by-nobody', headers: { 'api-key': '00112233445566778899aabbccddeeff' } }
  const words = 'made-up-by-nobody is not right, nor is 00112233445566778899aabbccddeeff'
  for (const status of [200, 401, 500]) {
    const provider = open(reply(refusal(words), status), settings)
    const chatted = await read(chat(provider))
    const listed = await provider.models(new AbortController().signal).catch((error: unknown) => error)
    for (const failure of [chatted.failure, listed]) {
      expect(failure).toBeInstanceOf(Error)
      expect((failure as Error).message).not.toMatch(/nobody|00112233/)
    }
  }
})

test('it lists the models of the upstream', async () => {
  const upstream = inTurn(reply('{"data":[{"id":"m","created":1,"owned_by":"x","extra":2},{"id":""},7]}'))
  expect(await open(upstream).models(new AbortController().signal)).toEqual([{ id: 'm', created: 1, owned_by: 'x' }])
  expect(upstream.asked[0]).toMatchObject({ method: 'GET', url: new URL('https://upstream.invalid/v1/models') })
})

test('it makes embeddings, by the rules, and its failures repeat no key', async () => {
  const upstream = inTurn(reply('{"data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":1,"total_tokens":1}}'))
  const settings = { apiKey: 'made-up-by-nobody', request: { drop: ['user'] } }
  const request = { model: 'as/asked-for', input: 'Hello', user: 'u' }
  const call = { model: 'm', signal: new AbortController().signal, requestId: 'req_test' }
  const { embeddings } = await open(upstream, settings).embeddings!(request, call)
  expect(embeddings).toEqual([[0.5]])
  expect(bodyOf(upstream.asked[0])).toEqual({ model: 'm', input: 'Hello', encoding_format: 'float' })
  const refused = open(reply(refusal('made-up-by-nobody is not right'), 401), settings).embeddings!(request, call)
  await expect(refused).rejects.toMatchObject({ code: 'upstream_auth_failed' })
  await expect(refused).rejects.not.toThrow(/nobody/)
})
