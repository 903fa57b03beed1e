import { crc32 } from 'node:zlib'
import { UpstreamError } from '@millrace/core'
import { array, assert, dictionary, nat, property, string, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMessageDecoder } from './message-decoder.ts'
import { event, message } from './testing/messages.ts'

interface Decoded {
  readonly messages: readonly { readonly headers: object; readonly payload: string }[]
  readonly failure: unknown
  readonly isInside: boolean
}

function decode(...reads: readonly Buffer[]): Decoded {
  const decoder = createMessageDecoder()
  const messages: { headers: object; payload: string }[] = []
  let failure: unknown
  try {
    for (const read of reads) {
      decoder.push(read, (headers, payload) => {
        messages.push({ headers: Object.fromEntries(headers), payload: payload.toString() })
      })
    }
  } catch (error) {
    failure = error
  }
  return { messages, failure, isInside: decoder.isInside() }
}

/** A message of these lengths with right checksums, whatever its headers are. */
function raw(headers: Buffer, payload = Buffer.alloc(0), lengths: { total?: number; headers?: number } = {}): Buffer {
  const total = headers.length + payload.length + 16
  const bytes = Buffer.alloc(total)
  bytes.writeUInt32BE(lengths.total ?? total, 0)
  bytes.writeUInt32BE(lengths.headers ?? headers.length, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  headers.copy(bytes, 12)
  payload.copy(bytes, 12 + headers.length)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, total - 4)), total - 4)
  return bytes
}

function header(name: string, value: string, valueLength = value.length): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(valueLength)
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)])
}

const HELLO = event('assistantResponseEvent', { content: 'Hello' })
const MALFORMED = expect.objectContaining({ code: 'upstream_malformed' }) as unknown

describe('known messages', () => {
  test('the smallest one', () => {
    const smallest = Buffer.from('000000100000000005c248eb7d98c8ff', 'hex')
    expect(decode(smallest)).toEqual({ messages: [{ headers: {}, payload: '' }], failure: undefined, isInside: false })
  })

  test('an event', () => {
    const bytes = Buffer.from(
      '0000007f0000005c7c7db5a80b3a6576656e742d74797065070016617373697374616e74526573706f6e73654576656e740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74223a2248656c6c6f227d9b5d0635',
      'hex',
    )
    expect(decode(bytes).messages).toEqual([
      {
        headers: {
          ':event-type': 'assistantResponseEvent',
          ':content-type': 'application/json',
          ':message-type': 'event',
        },
        payload: '{"content":"Hello"}',
      },
    ])
  })

  test('headers of all types, of which texts are told', () => {
    const headers = Buffer.concat([
      Buffer.from([1, 97, 0, 1, 98, 1, 1, 99, 2, 5, 1, 100, 3, 0, 5, 1, 101, 4, 0, 0, 0, 5]),
      Buffer.from([
        1, 102, 5, 0, 0, 0, 0, 0, 0, 0, 5, 1, 103, 6, 0, 1, 9, 1, 104, 8, 0, 0, 0, 0, 0, 0, 0, 5, 1, 105, 9,
      ]),
      Buffer.alloc(16, 7),
      header('text', 'told'),
    ])
    expect(decode(raw(headers)).messages).toEqual([{ headers: { text: 'told' }, payload: '' }])
  })
})

describe('what is no message', () => {
  const cases: Readonly<Record<string, Buffer>> = {
    'a length of 2 GiB': raw(Buffer.alloc(0), Buffer.alloc(0), { total: 2 ** 31 }),
    'a length over 16 MiB': raw(Buffer.alloc(0), Buffer.alloc(0), { total: 16 * 1024 * 1024 + 1 }),
    'headers over 128 KiB': raw(Buffer.alloc(0), Buffer.alloc(0), { total: 2 ** 20, headers: 128 * 1024 + 1 }),
    'headers past the message': raw(header('a', 'b'), Buffer.alloc(0), { headers: 100 }),
    'a length below the smallest': raw(Buffer.alloc(0), Buffer.alloc(0), { total: 15 }),
    'a doubled header': raw(Buffer.concat([header(':message-type', 'event'), header(':message-type', 'error')])),
    'a header that goes on in the payload': raw(header('a', 'b', 40), Buffer.alloc(100, 0x41)),
    'a header that goes on behind the message': raw(header('a', 'b', 30_000)),
    'a header of no known type': raw(Buffer.from([1, 97, 10])),
    'a header that ends in its name': raw(Buffer.from([9, 97])),
    'a header called __proto__': raw(header('__proto__', 'x')),
    '257 headers': raw(Buffer.concat(Array.from({ length: 257 }, (_, at) => header(`h${at}`, 'x')))),
    'a page': Buffer.from('<!doctype html><html><body>Bad gateway</body></html>'),
    JSON: Buffer.from('{"message":"No."}'),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    test(`${name} ends all, and what came before it counts`, () => {
      const { messages, failure } = decode(Buffer.concat([HELLO, bytes, HELLO]))
      expect(failure).toEqual(MALFORMED)
      expect(messages).toHaveLength(1)
      expect(decode(HELLO, ...Array.from(bytes, byte => Buffer.from([byte])), HELLO).failure).toEqual(MALFORMED)
    })
  }

  test('a wrong byte anywhere', () => {
    for (let at = 0; at < HELLO.length; at++) {
      const wrong = Buffer.from(HELLO)
      wrong[at] = wrong[at]! ^ 0x10
      expect(decode(Buffer.concat([wrong, HELLO]))).toMatchObject({
        messages: [],
        failure: { code: 'upstream_malformed' },
      })
    }
  })

  test('nothing is allocated for a length that is too large, or not proved', () => {
    const before = process.memoryUsage().arrayBuffers
    const unproved = Buffer.from(HELLO)
    unproved.writeUInt32BE(15 * 1024 * 1024, 0)
    decode(unproved.subarray(0, 13))
    decode(cases['a length of 2 GiB']!.subarray(0, 13))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
  })
})

test('a message of 16 MiB passes', () => {
  const payload = Buffer.alloc(16 * 1024 * 1024 - 16, 0x61)
  const bytes = raw(Buffer.alloc(0), payload)
  const decoder = createMessageDecoder()
  const sizes: number[] = []
  for (let at = 0; at < bytes.length; at += 65_536) {
    decoder.push(bytes.subarray(at, at + 65_536), (_headers, { length }) => sizes.push(length))
  }
  expect(sizes).toEqual([payload.length])
})

const name = string({ minLength: 1, maxLength: 20 }).filter(text => text !== '__proto__')
const anyMessage = tuple(dictionary(name, string({ maxLength: 50 }), { maxKeys: 5 }), string({ maxLength: 200 }))
const messages = array(anyMessage, { maxLength: 8 })
const cuts = array(nat(), { maxLength: 30 })

function split(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const sorted = positions.map(position => position % (bytes.length + 1)).toSorted((one, other) => one - other)
  return [...sorted, bytes.length].map((end, at) => bytes.subarray(sorted[at - 1] ?? 0, end))
}

describe('any messages', () => {
  test('come out as they went in, however they are cut', () => {
    const isSame = property(messages, cuts, (list, positions) => {
      const bytes = Buffer.concat(list.map(([headers, payload]) => message(headers, payload)))
      const expected = list.map(([headers, payload]) => ({
        headers: { ...headers },
        payload: Buffer.from(payload).toString(),
      }))
      expect(decode(...split(bytes, positions))).toEqual({ messages: expected, failure: undefined, isInside: false })
    })
    assert(isSame, { numRuns: 200 })
  })

  test('that are damaged or cut short come out up to that place', () => {
    const isBeginning = property(messages, cuts, nat(), nat(255), nat(), (list, positions, place, change, end) => {
      const whole = Buffer.concat(list.map(([headers, payload]) => message(headers, payload)))
      const bytes = Buffer.from(whole.subarray(0, whole.length - (end % (whole.length + 1))))
      const at = bytes.length === 0 ? 0 : place % bytes.length
      if (bytes.length > 0) bytes[at] = bytes[at]! ^ change
      const { messages, failure } = decode(...split(bytes, positions))
      expect(failure === undefined || failure instanceof UpstreamError).toBe(true)
      expect(messages).toEqual(decode(whole).messages.slice(0, messages.length))
    })
    assert(isBeginning, { numRuns: 300 })
  })
})
