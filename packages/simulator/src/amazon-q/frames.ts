import { EventStreamCodec } from '@smithy/eventstream-codec'
import { crc32 } from 'node:zlib'

const codec = new EventStreamCodec(
  bytes => Buffer.from(bytes as Uint8Array).toString(),
  text => Buffer.from(text),
)

/** Name → value, in the order in which they are written. All are strings, as they are in this service. */
type FrameHeaders = Readonly<Record<string, string>>

/** One frame of an event stream. */
function toFrame(headers: FrameHeaders, payload: string): Buffer {
  return toBytes(codec.encode({ headers: toTyped(headers), body: Buffer.from(payload) }))
}

/** An event: its name, and a payload whose members are written in alphabetical order. */
export function toEvent(type: string, payload: object): Buffer {
  return toFrame(eventHeaders(type), toSortedJson(payload))
}

/** An exception that ends the stream; the payload is written as it is. */
export function toException(type: string, payload: object): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' }
  return toFrame(headers, JSON.stringify(payload))
}

/** An error that is in no model, and ends the stream. */
export function toErrorFrame(code: string, message: string): Buffer {
  return toFrame({ ':message-type': 'error', ':error-code': code, ':error-message': message }, '')
}

function eventHeaders(type: string): FrameHeaders {
  return { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }
}

function toTyped(headers: FrameHeaders): Record<string, { type: 'string'; value: string }> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }]))
}

function toBytes({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}

function toSortedJson(value: object): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  )
}

const PRELUDE_BYTES = 12
const CRC_BYTES = 4

/** What a frame claims of itself, where that is not what it is. */
interface Claims {
  readonly totalBytes?: number
  readonly headerBytes?: number
}

/** A frame of a block of headers and a payload, both checksums right whatever it claims. */
function assemble(headers: Buffer, payload: Buffer, { totalBytes, headerBytes }: Claims = {}): Buffer {
  const length = PRELUDE_BYTES + headers.length + payload.length + CRC_BYTES
  const frame = Buffer.concat([Buffer.alloc(PRELUDE_BYTES), headers, payload, Buffer.alloc(CRC_BYTES)], length)
  frame.writeUInt32BE(totalBytes ?? length, 0)
  frame.writeUInt32BE(headerBytes ?? headers.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  frame.writeUInt32BE(crc32(frame.subarray(0, -CRC_BYTES)), length - CRC_BYTES)
  return frame
}

function flipped(frame: Buffer, at: number): Buffer {
  const copy = Buffer.from(frame)
  copy[at]! ^= 0xff
  return copy
}

const TEXT_EVENT = eventHeaders('assistantResponseEvent')
const PAYLOAD = '{"content":"never to be read"}'
const FRAME = toFrame(TEXT_EVENT, PAYLOAD)
const HEADERS = toBytes(codec.formatHeaders(toTyped(TEXT_EVENT)))
const DOUBLED = toBytes(codec.formatHeaders(toTyped({ ':event-type': 'assistantResponseEvent' })))

/** A frame that no reader should accept: what is wrong → it. */
export const BROKEN_FRAMES = {
  'prelude-crc': flipped(FRAME, 8),
  'message-crc': flipped(FRAME, FRAME.length - 1),
  payload: flipped(FRAME, FRAME.length - CRC_BYTES - 4),
  'header-bytes': flipped(FRAME, PRELUDE_BYTES + 3),
  length: flipped(FRAME, 3),
  'length-2gib': assemble(HEADERS, Buffer.from(PAYLOAD), { totalBytes: 2 ** 31 }),
  'length-4gib': assemble(HEADERS, Buffer.from(PAYLOAD), { totalBytes: 2 ** 32 - 1 }),
  'length-0': assemble(HEADERS, Buffer.from(PAYLOAD), { totalBytes: 0 }),
  'length-15': assemble(HEADERS, Buffer.from(PAYLOAD), { totalBytes: 15 }),
  'headers-past-frame': assemble(HEADERS, Buffer.from(PAYLOAD), { headerBytes: 100_000 }),
  'headers-cut': assemble(HEADERS, Buffer.from(PAYLOAD), { headerBytes: HEADERS.length - 3 }),
  'header-type': assemble(Buffer.concat([Buffer.from('\x01x\x0b'), HEADERS]), Buffer.from(PAYLOAD)),
  'header-doubled': assemble(Buffer.concat([HEADERS, DOUBLED]), Buffer.from(PAYLOAD)),
  'no-headers': assemble(Buffer.alloc(0), Buffer.from(PAYLOAD)),
  'no-message-type': toFrame({ ':event-type': 'assistantResponseEvent' }, PAYLOAD),
  'message-type': toFrame({ ...TEXT_EVENT, ':message-type': 'surprise' }, PAYLOAD),
  'not-json': toFrame(TEXT_EVENT, '{"content":"cut sho'),
  'not-object': toFrame(TEXT_EVENT, '["content"]'),
  'not-utf-8': assemble(HEADERS, Buffer.from('{"content":"\xff"}', 'latin1')),
} as const satisfies Record<string, Buffer>
