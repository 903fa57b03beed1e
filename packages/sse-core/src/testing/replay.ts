import {
  GatewayError,
  type ChatChunk,
  type ChunkChoice,
  type ChunkHead,
  type Delta,
  type FinishReason,
  type Frame,
  type Frames,
  type UpstreamReply,
} from '@millrace/core'
import { toChunk } from '../encode.ts'
import { readFrames } from '../frames.ts'

export const HEAD: ChunkHead = { id: 'chatcmpl-test', created: 1_780_000_000, model: 'test/model', includeUsage: false }
export const HEAD_WITH_USAGE: ChunkHead = { ...HEAD, includeUsage: true }

interface ReplyOptions {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** Thrown behind the last read. */
  readonly fault?: Error
}

export interface Replay extends UpstreamReply {
  /** How many reads were taken, whether the body was left or ended, and the last limit on silence. */
  readonly seen: { reads: number; closed: boolean; endWithin: number | undefined }
}

/** An upstream's answer that arrives in these reads. */
export function replyOf(
  reads: readonly (Buffer | string)[],
  { status = 200, headers = {}, fault }: ReplyOptions = {},
): Replay {
  const seen: Replay['seen'] = { reads: 0, closed: false, endWithin: undefined }
  return {
    status,
    headers,
    seen,
    body: {
      endWithin: ms => (seen.endWithin = ms),
      async *[Symbol.asyncIterator]() {
        try {
          for (const read of reads) {
            seen.reads++
            yield Buffer.from(read)
          }
          if (fault !== undefined) throw fault
        } finally {
          seen.closed = true
        }
      },
    },
  }
}

/** Batches as a provider gives them; `seen.closed` tells whether they were left, or used up. */
export function framesOf(
  batches: readonly (readonly Frame[])[],
  fault?: Error,
): Frames & { readonly seen: { batches: number; closed: boolean } } {
  const seen = { batches: 0, closed: false }
  return {
    seen,
    async *[Symbol.asyncIterator]() {
      try {
        for (const batch of batches) {
          seen.batches++
          yield batch
        }
        if (fault !== undefined) throw fault
      } finally {
        seen.closed = true
      }
    },
  }
}

export interface Outcome {
  readonly batches: readonly (readonly Frame[])[]
  readonly frames: readonly Frame[]
  /** With made-up call ids named `made-up-N`, N counting from 0. */
  readonly chunks: readonly ChatChunk[]
  /** The code of the failure at the end, or `bug` where something else was thrown. */
  readonly code: string | undefined
  readonly error: unknown
}

/** All that frames give, up to their end or failure. */
export async function gather(frames: Frames): Promise<Outcome> {
  const batches: (readonly Frame[])[] = []
  let error: unknown
  try {
    for await (const batch of frames) batches.push(batch)
  } catch (thrown) {
    error = thrown
  }
  const all = batches.flat()
  const code = error instanceof GatewayError ? error.code : error === undefined ? undefined : 'bug'
  return { batches, frames: all, chunks: withoutRandomIds(all.map(frame => frame.chunk)), code, error }
}

function withoutRandomIds(chunks: readonly ChatChunk[]): ChatChunk[] {
  let count = 0
  return JSON.parse(JSON.stringify(chunks), (_name, value: unknown) =>
    typeof value === 'string' && /^call_[A-Za-z0-9]{24}$/.test(value) ? `made-up-${count++}` : value,
  ) as ChatChunk[]
}

/** The bytes in pieces that end at these places, whatever their order. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map(place => place % (bytes.length + 1)))].toSorted((one, other) => one - other)
  return [...ends, bytes.length].map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end))
}

export function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1))
}

/** Values as the events of a stream that ends in `[DONE]`. */
export function sse(...values: readonly unknown[]): string {
  return `${values.map(value => `data: ${JSON.stringify(value)}\n\n`).join('')}data: [DONE]\n\n`
}

/** One event with one choice. */
export function event(delta: object, finish_reason: string | null = null, more: object = {}): object {
  return {
    id: 'chatcmpl-upstream',
    object: 'chat.completion.chunk',
    created: 1_779_000_000,
    model: 'upstream-model',
    choices: [{ index: 0, delta, finish_reason }],
    ...more,
  }
}

export const hello = event({ content: 'Hello' })

/** One event of a stream. */
export const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`

/** The deltas of the first choice between its opening and its end, and how it ended. */
export function said(chunks: readonly ChatChunk[]): { deltas: Delta[]; finish: string | null } {
  const choices = chunks.flatMap(chunk => chunk.choices)
  const finish = choices.at(-1)?.finish_reason ?? null
  return { deltas: choices.slice(1, finish === null ? undefined : -1).map(({ delta }) => delta), finish }
}

/** The content of all choices. */
export function textOf(chunks: readonly ChatChunk[]): string {
  return chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('')
}

/** A plain frame with one choice. */
export function frameOf(delta: Delta, choice: Partial<ChunkChoice> = {}, members: object = {}): Frame {
  const whole = { index: 0, delta, finish_reason: null, ...choice }
  return { chunk: { ...toChunk(HEAD, whole), ...members } }
}

export const opening = (index = 0): Frame => frameOf({ role: 'assistant', content: '' }, { index })
export const ending = (finish_reason: FinishReason = 'stop', index = 0): Frame => frameOf({}, { finish_reason, index })

/** The frames of a stream in which each of these deltas is an event, those with bytes where readers give them. */
export async function readAll(...deltas: readonly object[]): Promise<readonly Frame[]> {
  const { frames } = await gather(readFrames(replyOf([sse(...deltas.map(delta => event(delta)))]), HEAD))
  return frames
}
