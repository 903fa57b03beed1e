import { GatewayError, run, type Deadlines, type Frame, type Frames } from '@millrace/core'
import { DONE, encodeError, encodeFrame, HEARTBEAT } from '@millrace/sse-core'
import type { FastifyReply } from 'fastify'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { writeChunk } from './chunked-writer.ts'

export interface StreamSettings {
  /** How long the status may wait for the first frame, milliseconds; 0 for as long as it takes. */
  readonly commitAfterMs: number
  /** After how much silence a comment is sent, milliseconds; 0 for never. */
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
 * Sends frames as a stream with exactly one ending: `[DONE]`, or one error event. The status line waits for the first
 * frame, at most for the commit window: a failure before that is for the caller to answer (`reply.sent` is false).
 * @throws {GatewayError} what the frames throw, told to the client already where `reply.sent`; `client_stall`, `aborted`
 */
export async function replyWithStream(
  reply: FastifyReply,
  frames: Frames,
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

  function end(bytes: Buffer): void {
    onWrite?.(bytes)
    response.end(bytes)
  }

  function beat(): void {
    if (!committed) commit()
    if (!response.writableNeedDrain) response.write(HEARTBEAT)
    silence = deadlines.start(heartbeatMs, beat)
  }

  let silence = deadlines.start(settings.commitAfterMs || Infinity, beat)
  try {
    await run(frames, batch => {
      const bytes = encodeBatch(batch)
      onWrite?.(bytes)
      if (!committed) {
        commit()
        silence.touch(heartbeatMs)
        // Through the response, so that the head and the first frames leave together.
        response.write(bytes)
        return undefined
      }
      silence.touch()
      return writeChunk(response, bytes) ? undefined : drained(response, settings.stallMs)
    })
    end(DONE)
  } catch (error) {
    const failure = toGatewayError(error)
    if (committed && !response.closed) end(encodeError(failure))
    throw failure
  } finally {
    silence.clear()
  }
}

/** What one upstream read gave, as one write. */
function encodeBatch(batch: readonly Frame[]): Buffer {
  return batch.length === 1 ? encodeFrame(batch[0]!) : Buffer.concat(batch.map(encodeFrame))
}

/** Resolves when the client has taken what was written. @throws {GatewayError} `client_stall`, `aborted` */
function drained(response: ServerResponse, stallMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // The socket's own clock sees every byte that leaves, not only the last.
    response.setTimeout(stallMs, () => {
      settle()
      response.destroy()
      reject(new GatewayError('client_stall', 'The client stopped reading its stream.'))
    })
    const source = response.socket ?? response
    source.once('drain', onDrain)
    response.once('close', onClose)

    function settle(): void {
      response.setTimeout(0)
      source.off('drain', onDrain)
      response.off('close', onClose)
    }
    function onDrain(): void {
      settle()
      resolve()
    }
    function onClose(): void {
      settle()
      reject(new GatewayError('aborted', 'The client went away.'))
    }
  })
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
