import { crc32 } from 'node:zlib'
import { nextText, type StreamText } from './answers.ts'

/** Around headers and payload: two lengths and their checksum before, the checksum of all behind. */
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
const STRING = 7

/** A stream of Amazon Q: frames that hold what the other one's events hold. As latin1, like that one. */
export function createAmazonQText(): StreamText {
  return {
    contentType: 'application/vnd.amazon.eventstream',
    role: frame('initial-response', '{"conversationId":"00000000-0000-4000-8000-000000000000"}'),
    event: () => frame('assistantResponseEvent', `{"content":"${nextText()}"}`),
    ending: () => frame('contextUsageEvent', '{"contextUsagePercentage":1.5}'),
  }
}

const heads = new Map<string, Buffer>()

function frame(type: string, payload: string): string {
  const headers = headersOf(type)
  const total = PRELUDE_BYTES + headers.length + payload.length + CHECKSUM_BYTES
  const bytes = Buffer.allocUnsafe(total)
  bytes.writeUInt32BE(total, 0)
  bytes.writeUInt32BE(headers.length, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  headers.copy(bytes, PRELUDE_BYTES)
  bytes.write(payload, PRELUDE_BYTES + headers.length, 'latin1')
  bytes.writeUInt32BE(crc32(bytes.subarray(0, total - CHECKSUM_BYTES)), total - CHECKSUM_BYTES)
  return bytes.toString('latin1')
}

function headersOf(type: string): Buffer {
  let headers = heads.get(type)
  if (headers === undefined) {
    const values = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }
    headers = Buffer.concat(Object.entries(values).map(([name, value]) => header(name, value)))
    heads.set(type, headers)
  }
  return headers
}

function header(name: string, value: string): Buffer {
  const size = Buffer.from([STRING, value.length >> 8, value.length & 0xff])
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)])
}
