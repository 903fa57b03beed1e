import { crc32 } from 'node:zlib'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { malformed } from './failures.ts'

/** The two lengths and their checksum, with which a message begins. */
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
const LENGTHS_BYTES = PRELUDE_BYTES - CHECKSUM_BYTES
const OVERHEAD_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
const MAX_HEADER_BYTES = 128 * 1024
const MAX_HEADERS = 256
/** How many different blocks of headers are remembered: one for each kind of event, and no answer has as many. */
const MAX_KNOWN_BLOCKS = 32

/** The text headers of a message by name; those of other types are left out. */
export type Headers = ReadonlyMap<string, string>

/** Takes a message. The payload is a view, and good only during the call. */
type OnMessage = (headers: Headers, payload: Buffer) => void

export interface MessageDecoder {
  /** Hands on the messages that are whole with this read. @throws {UpstreamError} `upstream_malformed`, for good */
  push(read: Buffer, onMessage: OnMessage): void
  /** Whether the bytes so far end in the middle of a message. */
  isInside(): boolean
}

/**
 * Messages of `application/vnd.amazon.eventstream` from reads that are cut anywhere. Both checksums of each are checked,
 * that of the lengths before anything is kept for them. No message may have more than 16 MiB, its headers not more than
 * 128 KiB; names of headers stand once. The headers of a message like an earlier one are not read again.
 */
export function createMessageDecoder(): MessageDecoder {
  const codec = new EventStreamCodec(toText, fromText)
  const known: KnownBlock[] = []
  const prelude = Buffer.allocUnsafe(PRELUDE_BYTES)
  /** The message that has only begun, or its prelude as long as that is not whole. */
  let begun = prelude
  let begunBytes = 0

  /** The headers, in the block of bytes that they came in. @throws {Error} they are none */
  function headersOf(message: Buffer, headerBytes: number): Headers {
    const end = PRELUDE_BYTES + headerBytes
    for (const { block, headers } of known) {
      if (block.length === headerBytes && message.compare(block, 0, headerBytes, PRELUDE_BYTES, end) === 0) {
        return headers
      }
    }
    const { headers: values } = codec.decode(message)
    // What the codec does not notice: a name that stands twice, and a value that goes on beyond the headers.
    if (codec.formatHeaders(values).length !== headerBytes) throw new Error('Its headers contradict themselves.')
    const entries = Object.entries(values)
    if (entries.length > MAX_HEADERS) throw new Error(`It has more than ${MAX_HEADERS} headers.`)
    const headers = new Map(entries.flatMap(([name, { type, value }]) => (type === 'string' ? [[name, value]] : [])))
    if (known.length === MAX_KNOWN_BLOCKS) known.pop()
    known.push({ block: Buffer.from(message.subarray(PRELUDE_BYTES, end)), headers })
    return headers
  }

  function handOn(message: Buffer, onMessage: OnMessage): void {
    const end = message.length - CHECKSUM_BYTES
    // The checksum goes on from that of the lengths, which stands behind them.
    const checksum = crc32(message.subarray(LENGTHS_BYTES, end), message.readUInt32BE(LENGTHS_BYTES))
    if (checksum !== message.readUInt32BE(end)) throw malformed('a message with a wrong checksum')
    const headerBytes = message.readUInt32BE(4)
    let headers: Headers
    try {
      headers = headersOf(message, headerBytes)
    } catch (cause) {
      throw malformed('a message with headers that cannot be read', cause)
    }
    onMessage(headers, message.subarray(PRELUDE_BYTES + headerBytes, end))
  }

  return {
    isInside: () => begunBytes > 0,
    push(read, onMessage) {
      let at = 0
      while (at < read.length) {
        if (begunBytes === 0 && read.length - at >= PRELUDE_BYTES) {
          const end = at + lengthOf(read, at)
          if (end <= read.length) {
            handOn(read.subarray(at, end), onMessage)
            at = end
            continue
          }
        }
        const copied = read.copy(begun, begunBytes, at)
        at += copied
        begunBytes += copied
        if (begunBytes < begun.length) return
        if (begun === prelude) {
          begun = Buffer.allocUnsafe(lengthOf(prelude, 0))
          prelude.copy(begun)
          continue
        }
        const message = begun
        begun = prelude
        begunBytes = 0
        handOn(message, onMessage)
      }
    },
  }
}

interface KnownBlock {
  readonly block: Buffer
  readonly headers: Headers
}

/** The length of the message that begins here. @throws {UpstreamError} no message begins here that may be taken */
function lengthOf(bytes: Buffer, at: number): number {
  if (crc32(bytes.subarray(at, at + LENGTHS_BYTES)) !== bytes.readUInt32BE(at + LENGTHS_BYTES)) {
    throw malformed('a message with a wrong checksum')
  }
  const length = bytes.readUInt32BE(at)
  const headerBytes = bytes.readUInt32BE(at + 4)
  if (length > MAX_MESSAGE_BYTES || headerBytes > MAX_HEADER_BYTES) throw malformed('a message that is too large')
  if (headerBytes + OVERHEAD_BYTES > length) throw malformed('a message whose headers are longer than itself')
  return length
}

function toText(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

function fromText(text: string): Uint8Array {
  return Buffer.from(text)
}
