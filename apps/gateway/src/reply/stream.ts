import { GatewayError, run, type Deadlines } from '@millrace/core'
import type { Encoder } from '@millrace/dialects'
import type { FastifyReply } from 'fastify'
import type { OutgoingHttpHeaders } from 'node:http'
import { writeChunk } from './chunked-writer.ts'
import { taken } from './taken.ts'

export interface StreamSettings {
  /** How long the status may wait for the first frame, milliseconds; 0 for as long as it takes. */
  readonly commitAfterMs: number
  /** After how much silence something is sent that clients skip, milliseconds; 0 for never. */
  readonly heartbeatMs: number
  /** How long the client may take nothing before it is given up, milliseconds. */
  readonly stallMs: number
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
} as const

/**
 * Sends what an answer consists of as a stream with exactly one ending, the good or the bad one of the client's dialect.
 * The status line waits for the first item, at most for the commit window: a failure before that is for the caller to
 * answer (`reply.sent` is false), but for those that the dialect tells in a stream.
 * @throws {GatewayError} what the items throw, told to the client already where `reply.sent`; `client_stall`, `aborted`
 */
export async function replyWithStream<Item>(
  reply: FastifyReply,
  items: AsyncIterable<Item>,
  encoder: Encoder<Item>,
  settings: StreamSettings,
  deadlines: Deadlines,
  onWrite?: (bytes: Buffer) => void,
): Promise<void> {
  const response = reply.raw
  const heartbeatMs = settings.heartbeatMs || Infinity
  let committed = false

  function commit(): void {
    committed = true
    reply.hijack()
    // A write to a client that is gone fails here; that it is gone is told by the close of the response.
    response.on('error', () => undefined)
    response.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...HEADERS })
  }

  /** The last bytes; resolves when the client has taken everything. */
  function end(bytes: Buffer): Promise<void> {
    silence.clear()
    onWrite?.(bytes)
    response.end(bytes)
    return taken(response, 'finish', settings.stallMs)
  }

  function beat(): void {
    if (!committed) commit()
    if (!response.writableNeedDrain) response.write(encoder.heartbeat())
    silence = deadlines.start(heartbeatMs, beat)
  }

  let silence = deadlines.start(settings.commitAfterMs || Infinity, beat)
  try {
    await run(items, item => {
      const bytes = encoder.encode(item)
      if (bytes.length === 0) return undefined
      onWrite?.(bytes)
      if (!committed) {
        commit()
        silence.touch(heartbeatMs)
        // Through the response, so that the head and the first frames leave together.
        response.write(bytes)
        return undefined
      }
      silence.touch()
      return writeChunk(response, bytes) ? undefined : taken(response, 'drain', settings.stallMs)
    })
    if (!committed) commit()
    await end(encoder.end())
  } catch (error) {
    const failure = toGatewayError(error)
    if (!committed && !response.closed && encoder.tellsInStream?.(failure)) commit()
    if (committed && !response.writableEnded && !response.closed) {
      // Where that cannot be told either, the first failure is still the one that counts.
      await end(encoder.fail(failure)).catch(() => undefined)
    }
    throw failure
  } finally {
    silence.clear()
  }
}

/** Anything thrown as what the client may be told of it; bugs keep their words to themselves. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError(
    'internal_error',
    'Something went wrong in the gateway; its log has the details under this request id.',
    { cause: error },
  )
}
