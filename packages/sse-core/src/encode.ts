import type { ChatChunk, ChunkChoice, ChunkHead, Frame, GatewayError, Usage } from '@millrace/core'

/** Readers of httpx, requests and Node's `readline` end a line at these, which JSON allows to stand raw. */
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/g
const ESCAPES: Readonly<Record<string, string>> = { '\u0085': '\\u0085', '\u2028': '\\u2028', '\u2029': '\\u2029' }

/** A value as one line of JSON, for readers of lines of every kind. */
export function encodeLine(value: unknown): string {
  return JSON.stringify(value).replace(LINE_SEPARATORS, character => ESCAPES[character]!)
}

/** A value as one server-sent event: `data: `, one line of JSON, blank line. */
export function encodeEvent(value: unknown): string {
  return `data: ${encodeLine(value)}\n\n`
}

/** The frame as it goes to a client of the chat dialect. */
export function encodeFrame(frame: Frame): Buffer {
  return frame.bytes ?? Buffer.from(encodeEvent(frame.chunk))
}

/** The end of a stream that is whole. */
export const DONE: Buffer = Buffer.from('data: [DONE]\n\n')

/** A line that clients skip, for as long as there is nothing else to send. */
export const HEARTBEAT: Buffer = Buffer.from(': keep-alive\n\n')

/** The end of a stream that failed: one event, and no `[DONE]` after it. */
export function encodeError(error: GatewayError): Buffer {
  return Buffer.from(encodeEvent(error.toBody()))
}

/** One chunk with one choice. */
export function toChunk(
  head: ChunkHead,
  choice: ChunkChoice,
  extensions?: Readonly<Record<string, unknown>>,
): ChatChunk {
  return {
    id: head.id,
    object: 'chat.completion.chunk',
    created: head.created,
    model: head.model,
    ...extensions,
    choices: [choice],
    ...(head.includeUsage ? { usage: null } : undefined),
  }
}

/** The chunk that tells the usage: no choices, last before the end. */
export function toUsageChunk(head: ChunkHead, usage: Usage): ChatChunk {
  return { id: head.id, object: 'chat.completion.chunk', created: head.created, model: head.model, choices: [], usage }
}
