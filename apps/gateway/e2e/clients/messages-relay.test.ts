import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { APIError, InternalServerError, RateLimitError } from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { anthropicClient, ASKED, textOf } from './anthropic-client.ts'
import { KEY, UPSTREAM_KEY } from './gateway-with-simulator.ts'

const USAGE = '"usage":{"input_tokens":12,"output_tokens":1,"cache_read_input_tokens":4}'
/** With what no gateway would make: a signature, members of its own, blanks. */
const EVENTS = [
  `event: message_start\ndata: {"type":"message_start", "message":{"id":"msg_native","type":"message","role":"assistant","model":"large","content":[],"stop_reason":null,"stop_sequence":null,${USAGE}}}\n\n`,
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnbmVk"}}\n\n',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
  'event: content_block_start\ndata: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"It turns."},"mill":true}\n\n',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":1}\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]
const WHOLE = `{ "id":"msg_native","type":"message","role":"assistant","model":"large","content":[{"type":"text","text":"It turns."}],"stop_reason":"end_turn","stop_sequence":null,${USAGE} }`
const BUSY = '{"type":"error","error":{"type":"rate_limit_error","message":"The sluice is shut."}}'

/** What the upstream does, by the model that it is asked for. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  large: response => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(EVENTS.join('')),
  whole: response => response.writeHead(200, { 'content-type': 'application/json' }).end(WHOLE),
  cut: response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(EVENTS.slice(0, 6).join('') + EVENTS[6]!.slice(0, 30), () => response.destroy())
  },
  failing: response => response.writeHead(200).end(`${EVENTS.slice(0, 6).join('')}event: error\ndata: ${BUSY}\n\n`),
  busy: response => response.writeHead(429, { 'retry-after': '600' }).end(BUSY),
  silent: response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(EVENTS[0]!.slice(0, 40))
    pinged = () => response.end(EVENTS.join('').slice(40))
  },
}
let pinged = (): void => undefined

interface Asked {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
const asked: Asked[] = []

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = await Array.fromAsync(request)
  const body = Buffer.concat(pieces).toString()
  asked.push({ url: request.url, headers: request.headers, body })
  ANSWERS[(JSON.parse(body) as { model: string }).model]!(response)
}

const upstream = createServer((request, response) => void serve(request, response))
let gateway: RunningGateway
beforeAll(async () => {
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
  const native = {
    kind: 'openai',
    baseUrl: base,
    apiKey: UPSTREAM_KEY,
    messagesUrl: `${base}/messages`,
    models: ['large'],
  }
  gateway = await startGateway({
    auth: { keys: [KEY] },
    providers: { native, unstreamed: { ...native, streaming: false } },
    stream: { commitAfter: '100ms', heartbeat: '100ms' },
  })
})
beforeEach(() => void asked.splice(0))
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  upstream.closeAllConnections()
  upstream.close()
})

/** A request, and its answer as it is. */
async function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.baseUrl}/messages?beta=true`, {
    method: 'POST',
    headers: { 'x-api-key': KEY, 'content-type': 'application/json', ...headers },
    body,
  })
}

test('a stream goes through as it is, and so does the request but for its model', async () => {
  const headers = { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'mill-2026-01-01' }
  const response = await post('{ "model":"native/large","stream":true, "mill": [1,  2] }', headers)
  expect(await response.text()).toBe(EVENTS.join(''))
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(asked).toHaveLength(1)
  expect(asked[0]).toMatchObject({
    url: '/v1/messages',
    headers: { authorization: `Bearer ${UPSTREAM_KEY}`, ...headers },
    body: '{"stream":true,"mill": [1,  2],"model":"large"}',
  })
  expect(asked[0]!.headers['x-api-key']).toBeUndefined()
  await expect(gateway.access(response.headers.get('x-request-id'))).resolves.toMatchObject({
    status: 200,
    ending: 'completed',
    model: 'native/large',
    promptTokens: 16,
    completionTokens: 9,
  })
})

test('the SDK takes it', async () => {
  const { messages } = anthropicClient(gateway)
  const message = await messages.stream({ model: 'native/large', ...ASKED }).finalMessage()
  expect(textOf(message)).toBe('It turns.')
  expect(message.content[0]).toMatchObject({ type: 'thinking', signature: 'c2lnbmVk' })
})

test.for(['native/whole', 'unstreamed/whole'])('a whole answer goes through as it is: %s', async model => {
  const response = await post(JSON.stringify({ model, stream: model.startsWith('unstreamed') }))
  expect([response.status, await response.text()]).toEqual([200, WHOLE])
  expect(JSON.parse(asked[0]!.body)).toEqual({ model: 'whole', stream: false })
  const line = await gateway.access(response.headers.get('x-request-id'))
  expect(line).toMatchObject({ ending: 'completed', stream: false, promptTokens: 16, completionTokens: 1 })
})

test.for([
  ['native/cut', 'api_error', 'upstream_truncated'],
  ['native/failing', 'rate_limit_error', 'rate_limit_exceeded'],
])('%s: what came before goes through, then an error', async ([model, type, ending]) => {
  const { data, request_id } = await anthropicClient(gateway)
    .messages.create({ model: model!, ...ASKED, stream: true })
    .withResponse()
  const seen: string[] = []
  const reading = (async () => {
    for await (const event of data) seen.push(event.type)
  })()
  await expect(reading).rejects.toBeInstanceOf(APIError)
  await expect(reading).rejects.toMatchObject({ type })
  expect(seen).toHaveLength(6)
  await expect(gateway.access(request_id!)).resolves.toMatchObject({ status: 200, ending, promptTokens: 16 })
})

test('a failure before the first byte has its own status and type', async () => {
  const { messages } = anthropicClient(gateway, { maxRetries: 2 })
  const error: unknown = await messages.create({ model: 'native/busy', ...ASKED, stream: true }).catch(error => error)
  expect(error).toBeInstanceOf(RateLimitError)
  expect(error).toMatchObject({ type: 'rate_limit_error', message: expect.stringContaining('The sluice is shut.') })
  expect(asked).toHaveLength(1)
  const whole: unknown = await messages.create({ model: 'native/cut', ...ASKED }).catch(error => error)
  expect(whole).toBeInstanceOf(InternalServerError)
})

test('pings come in silence, and never in the middle of an event', async () => {
  const response = await post('{"model":"native/silent","stream":true}')
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece
    if (text.includes('event: ping')) pinged()
  }
  const ping = 'event: ping\ndata: {"type":"ping"}\n\n'
  expect(text.startsWith(ping)).toBe(true)
  expect(text.replaceAll(ping, '')).toBe(EVENTS.join(''))
})
