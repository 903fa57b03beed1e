import { UpstreamError, type ChunkHead, type Frames, type UpstreamBody, type UpstreamReply } from '@millrace/core'
import { parseJson } from './json.ts'
import { createNormaliser } from './normaliser.ts'
import { createSplitter } from './split.ts'
import { parseFailureBody, retryAfterOf, toUpstreamError } from './upstream-failure.ts'

const MAX_FAILURE_BYTES = 64 * 1024
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
/** How long an upstream may take for its usage and its `[DONE]` once it has said why it ends. */
const END_GRACE_MS = 5000
/** How long a connection may take to come free behind `[DONE]`; what comes then is not read. */
const DRAIN_MS = 250

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
export async function* readFrames(reply: UpstreamReply, head: ChunkHead, options: ReadOptions = {}): Frames {
  await refuseFailure(reply)
  const normaliser = createNormaliser(head)
  const splitter = createSplitter(options.maxEventBytes)
  let document: Buffer[] | undefined
  let documentBytes = 0
  let begun = false
  for await (const read of reply.body) {
    if (!begun) {
      const first = firstByte(read)
      if (first === undefined) continue
      begun = true
      if (first === 0x3c /* < */) throw webPage()
      if ((first === 0x7b /* { */ || first === 0x5b) /* [ */ && !isLines(reply)) document = []
    }
    if (document !== undefined) {
      documentBytes += read.length
      if (documentBytes > MAX_DOCUMENT_BYTES) throw tooLarge()
      document.push(read)
      continue
    }
    try {
      splitter.push(read, normaliser.event)
    } catch (failure) {
      // What was understood before the fault still counts.
      const frames = normaliser.take()
      if (frames.length > 0) yield frames
      throw failure
    }
    if (normaliser.done) {
      reply.body.endWithin(DRAIN_MS)
      break
    }
    if (normaliser.finishing) reply.body.endWithin(END_GRACE_MS)
    const frames = normaliser.take()
    if (frames.length > 0) yield frames
  }
  if (document !== undefined) {
    const whole = Buffer.concat(document)
    const value = parseJson(whole.toString())
    if (value !== undefined) normaliser.document(value)
    else splitter.push(whole, normaliser.event)
  }
  const cut = !normaliser.done && splitter.end(normaliser.event)
  if (cut) throw new UpstreamError('upstream_truncated', 'The upstream stopped in the middle of an event.')
  normaliser.end()
  yield normaliser.take()
}

/** @throws {UpstreamError} for every answer whose status or headers say that it is none */
async function refuseFailure({ status, headers, body }: UpstreamReply): Promise<void> {
  if (status >= 400) {
    const failure = parseFailureBody(await readAtMost(body, MAX_FAILURE_BYTES), headers['content-type'] ?? '')
    throw toUpstreamError(failure, { status, retryAfterMs: retryAfterOf(headers, Date.now()) })
  }
  if (status >= 300) throw badResponse(status, 'with a redirect, which is not followed: is the base URL right?')
  if (status !== 200) throw badResponse(status, 'without a body')
}

/** Up to `limit` bytes of a body, whatever becomes of the rest: a body that breaks off has still said something. */
async function readAtMost(body: UpstreamBody, limit: number): Promise<Buffer> {
  const reads: Buffer[] = []
  let length = 0
  try {
    for await (const read of body) {
      reads.push(read)
      length += read.length
      if (length >= limit) break
    }
  } catch (error) {
    if (reads.length === 0 && !(error instanceof UpstreamError)) throw error
  }
  return Buffer.concat(reads).subarray(0, limit)
}

/** The first byte that is neither white space nor of a byte order mark. */
function firstByte(bytes: Buffer): number | undefined {
  return bytes.find(byte => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
}

function isLines({ headers }: UpstreamReply): boolean {
  return /ndjson|jsonl|json-seq/i.test(headers['content-type'] ?? '')
}

function badResponse(status: number, what: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', `The upstream answered ${status} ${what}.`, {
    upstreamStatus: status,
  })
}

function webPage(): UpstreamError {
  return new UpstreamError('upstream_bad_response', 'The upstream answered with a web page: is the base URL right?')
}

function tooLarge(): UpstreamError {
  return new UpstreamError('upstream_malformed', 'The upstream sent an answer of more than 64 MiB.')
}
