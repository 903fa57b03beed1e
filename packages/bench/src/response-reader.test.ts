import { describe, expect, it } from 'vitest'
import { createResponseReader } from './response-reader.ts'

interface Seen {
  readonly bodies: string[]
  readonly ends: { readonly status: number; readonly reusable: boolean }[]
}

function read(wire: string, size: number): Seen {
  const bodies = ['']
  const ends: Seen['ends'] = []
  const feed = createResponseReader({
    body: text => (bodies[bodies.length - 1] += text),
    end(status, reusable) {
      ends.push({ status, reusable })
      bodies.push('')
    },
  })
  for (let at = 0; at < wire.length; at += size) feed(wire.slice(at, at + size))
  return { bodies: bodies.slice(0, -1), ends }
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n'
const COUNTED = 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone'
const EMPTY = 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n'
const INTERIM = 'HTTP/1.1 102 Processing\r\n\r\n'
const TRAILERS = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n'

describe('createResponseReader', () => {
  it.each([1, 2, 3, 7, 64, 10_000])('reads answers that come %i bytes at a time', size => {
    expect(read(CHUNKED + INTERIM + COUNTED + EMPTY + TRAILERS + CHUNKED, size)).toEqual({
      bodies: ['hello, world', 'none', '', 'a', 'hello, world'],
      ends: [
        { status: 200, reusable: true },
        { status: 404, reusable: false },
        { status: 204, reusable: true },
        { status: 200, reusable: true },
        { status: 200, reusable: true },
      ],
    })
  })

  it('does not end an answer of which something is missing', () => {
    expect(read(CHUNKED.slice(0, -1), 1000).ends).toEqual([])
    expect(read(COUNTED.slice(0, -1), 1000).ends).toEqual([])
  })
})
