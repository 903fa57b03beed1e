import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { Simulator } from './simulator.ts'

/** What came back, for tests: as much of it as came, and how it ended. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The bodies of HTTP's chunks, as they came. */
  readonly pieces: readonly Buffer[]
  readonly text: string
  /** The code of the error that ended it, or null. */
  readonly error: string | null
}

/** A chunk as tests look at it. */
export interface SeenChunk {
  readonly id?: string
  readonly object?: string
  readonly created?: number
  readonly choices?: readonly {
    readonly index?: number
    readonly delta: Record<string, unknown> & { readonly tool_calls?: readonly SeenCall[] }
    readonly finish_reason?: string | null
    readonly logprobs?: { readonly content: readonly { readonly token: string }[] } | null
  }[]
  readonly usage?: Record<string, unknown> | null
  readonly [extension: string]: unknown
}

export interface SeenCall {
  readonly index?: unknown
  readonly id?: string
  readonly function: { readonly name?: string; readonly arguments?: unknown }
}

export interface AskOptions {
  readonly stream?: boolean
  /** Members of the body beside `model`, `stream` and `messages`, or instead of them. */
  readonly members?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
  readonly signal?: AbortSignal
}

/** Asks for a chat completion on a connection of its own. Resolves when the answer ended, however it did. */
export function askSimulator(
  simulator: Pick<Simulator, 'port'>,
  model: string,
  { stream = true, members = {}, headers = {}, path = '/v1/chat/completions', signal }: AskOptions = {},
): Promise<Reply> {
  const body = JSON.stringify({
    model,
    stream,
    messages: [{ role: 'user', content: 'Does the mill run?' }],
    ...members,
  })
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port: simulator.port,
      path,
      method: 'POST',
      agent: false,
      maxHeaderSize: 4 * 1024 * 1024,
      headers: { 'content-type': 'application/json', ...headers },
      ...(signal && { signal }),
    })
    // An error in mid-answer shows at the request, at the response, or at both.
    let answered = false
    let ended: string | null = null
    const end = (error: NodeJS.ErrnoException): void => void (ended ??= error.code ?? error.message)
    sent.on('error', error => (answered ? end(error) : reject(error)))
    sent.on('response', response => {
      answered = true
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('error', end)
      response.on('close', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, pieces, text: Buffer.concat(pieces).toString(), error: ended })
      })
    })
    sent.end(body)
  })
}

/** The data of all events in plain framing. */
export function dataOf(text: string): string[] {
  return text
    .split(/\r?\n\r?\n/)
    .flatMap(event => event.split(/\r?\n/).filter(line => line.startsWith('data: ')))
    .map(line => line.slice(6))
}

/** All chunks of a stream in plain framing, `[DONE]` left out. */
export function chunksOf({ text }: Reply): SeenChunk[] {
  return dataOf(text)
    .filter(data => data !== '[DONE]')
    .map(data => JSON.parse(data) as SeenChunk)
}

/** The deltas of one choice. */
export function deltasOf(reply: Reply, index = 0): readonly SeenChoice['delta'][] {
  return choicesOf(reply, index).map(choice => choice.delta)
}

type SeenChoice = NonNullable<SeenChunk['choices']>[number]

function choicesOf(reply: Reply, index: number): readonly SeenChoice[] {
  return chunksOf(reply).flatMap(chunk => (chunk.choices ?? []).filter(choice => (choice.index ?? 0) === index))
}

/** All text of one choice. */
export function contentOf(reply: Reply, index = 0): string {
  return deltasOf(reply, index)
    .map(delta => (typeof delta?.['content'] === 'string' ? delta['content'] : ''))
    .join('')
}

/** The finish reasons of one choice that are not null. */
export function finishesOf(reply: Reply, index = 0): string[] {
  return choicesOf(reply, index).flatMap(choice => choice.finish_reason ?? [])
}

/** The pieces of all tool calls, in order. */
export function callsOf(reply: Reply): readonly SeenCall[] {
  return deltasOf(reply).flatMap(delta => delta?.tool_calls ?? [])
}

/** The last usage in a stream. */
export function usageOf(reply: Reply): Record<string, unknown> | undefined {
  return chunksOf(reply).findLast(chunk => chunk.usage)?.usage ?? undefined
}
