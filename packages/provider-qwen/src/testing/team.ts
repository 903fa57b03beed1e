import { ChatRequest, parseJsonSource, type Call, type Provider, type Upstream } from '@millrace/core'
import { qwen } from '../index.ts'
import type { Answer } from './scripted-upstream.ts'

export const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 10_000 }
export const STREAM = { 'content-type': 'text/event-stream' }
/** An answer that says "Hi". */
export const GOOD: Answer = {
  headers: STREAM,
  body: 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
}
export const refusal = (status: number, code: string, message = 'No.', headers = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: { error: { code, message, param: null, type: null }, request_id: 'r' },
})
export const EXPIRED = refusal(401, 'invalid_api_key', 'invalid access token or token expired')

/** The provider `team` over this upstream. */
export function openTeam(upstream: Upstream, settings: object): Provider {
  return qwen.open(qwen.config.parse({ kind: 'qwen', ...settings }), { name: 'team', upstream, timeouts: TIMEOUTS })
}

interface Outcome {
  readonly text: string
  readonly failure: unknown
  /** The accounts that were told, in order. */
  readonly accounts: readonly string[]
}

/** What comes of a request. */
export async function chat(provider: Provider, members: object = {}, call: Partial<Call> = {}): Promise<Outcome> {
  const accounts: string[] = []
  const source = parseJsonSource(
    Buffer.from(JSON.stringify({ model: 'team/m', messages: [{ role: 'user', content: 'Hello' }], ...members })),
  )
  const frames = provider.chat(ChatRequest.parse(source.value), {
    model: 'qwen3-max',
    head: { id: 'chatcmpl-test', created: 1_800_000_000, model: 'team/m', includeUsage: true },
    stream: true,
    source,
    signal: new AbortController().signal,
    requestId: 'req_test',
    onAccount: name => accounts.push(name),
    ...call,
  })
  let text = ''
  try {
    for await (const batch of frames) for (const { chunk } of batch) text += chunk.choices[0]?.delta.content ?? ''
  } catch (failure) {
    return { text, failure, accounts }
  }
  return { text, failure: undefined, accounts }
}

/** The key that a request was sent with. */
export const keyOf = ({ headers }: { readonly headers: Readonly<Record<string, string>> }): string =>
  headers['authorization']!.slice('Bearer '.length)

/** Three keys. */
export const KEYS = { accounts: ['a', 'b', 'c'].map(name => ({ name, apiKey: `key-of-${name}` })) }
