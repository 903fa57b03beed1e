import {
  createFlow,
  parseJson,
  run,
  UpstreamError,
  type ChunkHead,
  type Frame,
  type Frames,
  type Sink,
  type UpstreamReply,
} from '@millrace/core'
import { createGate } from './gate.ts'
import { createNormaliser } from './normaliser.ts'
import { readAtMost } from './read-at-most.ts'
import { createSplitter } from './split.ts'
import { parseFailureBody, retryAfterOf, toUpstreamError } from './upstream-failure.ts'

const MAX_FAILURE_BYTES = 64 * 1024
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
/** How long an upstream may take for its usage and its `[DONE]` once it has said why it ends. */
const END_GRACE_MS = 5000
/** How long a connection may take to come free behind `[DONE]`; what comes then is not read. */
const DRAIN_MS = 250

const LESS_THAN = 0x3c
const BRACE = 0x7b
const BRACKET = 0x5b

export interface ReadOptions {
  /** The largest event taken, bytes; 16 MiB unless told. */
  readonly maxEventBytes?: number
}

/**
 * An answer of an OpenAI-like upstream, stream or not, good or bad → frames that keep the stream contract. What it is
 * is decided by its status and its first byte, not by what it calls itself: JSON becomes the stream it would have been.
 * Returns when the answer is whole.
 * @throws {UpstreamError} what the upstream reported; `upstream_bad_response` for what is no answer;
 *   `upstream_malformed`; `upstream_truncated`; the codes of the body's clocks
 */
export function readFrames(reply: UpstreamReply, head: ChunkHead, options: ReadOptions = {}): Frames {
  return createFlow(async sink => {
    await refuseFailure(reply)
    const reader = createReader(reply, head, options)
    const gate = createGate(sink)
    await run(reply.body, read => {
      let failure: { readonly error: unknown } | undefined
      try {
        if (!reader.push(read)) return false
      } catch (error) {
        failure = { error }
      }
      const frames = reader.take()
      if (failure === undefined) return frames.length > 0 ? gate.pass(frames) : undefined
      return deliver(frames, sink, failure.error)
    })
    if (gate.isClosed()) return
    try {
      reader.end()
    } catch (error) {
      return deliver(reader.take(), sink, error)
    }
    await sink(reader.take())
  })
}

/** What was understood before a fault still counts. */
async function deliver(frames: readonly Frame[], sink: Sink<readonly Frame[]>, error: unknown): Promise<never> {
  if (frames.length > 0) await sink(frames)
  throw error
}

interface Reader {
  /** Takes one read; false where it was the last of interest. What came with it goes out with the end. */
  push(read: Buffer): boolean
  take(): Frame[]
  end(): void
}

function createReader(reply: UpstreamReply, head: ChunkHead, options: ReadOptions): Reader {
  const normaliser = createNormaliser(head)
  let splitter = createSplitter(options.maxEventBytes)
  let document: Buffer[] | undefined
  let documentBytes = 0
  let begun = false

  return {
    take: normaliser.take,
    push(read) {
      let bytes = read
      if (!begun) {
        const start = bytes.findIndex(isSignificant)
        begun = start !== -1
        const first = bytes[start]
        if (first === LESS_THAN) throw webPage()
        if ((first === BRACE || first === BRACKET) && !isLines(reply)) {
          document = []
          splitter = createSplitter(options.maxEventBytes)
          bytes = bytes.subarray(start)
        }
      }
      if (document !== undefined) {
        documentBytes += bytes.length
        if (documentBytes > MAX_DOCUMENT_BYTES) throw tooLarge()
        document.push(bytes)
        return true
      }
      splitter.push(bytes, normaliser.event)
      if (normaliser.isDone()) reply.body.endWithin(DRAIN_MS)
      else if (normaliser.isFinishing()) reply.body.endWithin(END_GRACE_MS)
      return !normaliser.isDone()
    },
    end() {
      if (document !== undefined) {
        const whole = Buffer.concat(document)
        const value = parseJson(whole.toString())
        if (value !== undefined) normaliser.document(value)
        else splitter.push(whole, normaliser.event)
      }
      if (!normaliser.isDone() && splitter.end(normaliser.event)) {
        throw new UpstreamError('upstream_truncated', 'The upstream stopped in the middle of an event.')
      }
      normaliser.end()
    },
  }
}

/** @throws {UpstreamError} for every answer whose status says that it is none */
export async function refuseFailure({ status, headers, body }: UpstreamReply): Promise<void> {
  if (status < 300) return
  const said = await readAtMost(body, MAX_FAILURE_BYTES)
  if (status >= 400) {
    const retryAfterMs = retryAfterOf(headers, Date.now())
    throw toUpstreamError(parseFailureBody(said, headers['content-type'] ?? ''), { status, retryAfterMs })
  }
  const message = `The upstream answered ${status}, a redirect, which is not followed: is the base URL right?`
  throw new UpstreamError('upstream_bad_response', message, { upstreamStatus: status })
}

/** Whether the byte tells what kind of answer this is: neither white space nor of a byte order mark. */
function isSignificant(byte: number): boolean {
  return byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf
}

function isLines({ headers }: UpstreamReply): boolean {
  return /ndjson|jsonl|json-seq/i.test(headers['content-type'] ?? '')
}

function webPage(): UpstreamError {
  return new UpstreamError('upstream_bad_response', 'The upstream answered with a web page: is the base URL right?')
}

function tooLarge(): UpstreamError {
  return new UpstreamError('upstream_malformed', 'The upstream sent an answer of more than 64 MiB.')
}
