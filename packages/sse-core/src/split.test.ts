import type { UpstreamError } from '@millrace/core'
import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createSplitter } from './split.ts'
import { bytewise, cutAt } from './testing/replay.ts'

interface Seen {
  readonly events: readonly { readonly data: string; readonly type: string; readonly status: number }[]
  readonly cut: boolean
}

function split(reads: readonly (Buffer | string)[], maxBytes?: number): Seen {
  const events: { data: string; type: string; status: number }[] = []
  const splitter = createSplitter(maxBytes)
  const add = ({ data, type, status }: { data: Buffer; type: string; status: number }): void =>
    void events.push({ data: data.toString(), type, status })
  for (const read of reads) {
    // As an upstream may do: the memory of a read belongs to the next one.
    const bytes = Buffer.from(read)
    splitter.push(bytes, add)
    bytes.fill('!')
  }
  return { events, cut: splitter.end(add) }
}

/** The data of the events; an event of a type comes as `type/data`. */
function dataOf(stream: string): string[] {
  const whole = split([stream])
  expect(split(bytewise(Buffer.from(stream)))).toEqual(whole)
  return whole.events.map(({ data, type, status }) => [status || '', type, data].filter(Boolean).join('/'))
}

describe('the standard', () => {
  test.each<[string, string, string[]]>([
    ['one event', 'data: x\n\n', ['x']],
    ['a byte order mark', '\uFEFFdata: x\n\n', ['x']],
    ['a byte order mark that is not at the start', 'data: x\n\n\uFEFFdata: y\n\n', ['x']],
    ['a second byte order mark', '\uFEFF\uFEFFdata: x\n\ndata: y\n\n', ['y']],
    ['CR', 'data: x\r\rdata: y\r\r', ['x', 'y']],
    ['CRLF', 'data: x\r\n\r\ndata: y\r\n\r\n', ['x', 'y']],
    ['mixed line ends', 'data: x\r\n\rdata: y\n\r\n', ['x', 'y']],
    ['no space', 'data:x\n\n', ['x']],
    ['two spaces', 'data:  x\n\n', [' x']],
    ['a tab', 'data:\tx\n\n', ['\tx']],
    ['a colon in the value', 'data: a: b\n\n', ['a: b']],
    ['a name without a value', 'data\n\n', ['']],
    ['two names without a value', 'data\ndata\n\n', ['\n']],
    ['an empty value', 'data:\n\n', ['']],
    ['two lines of data', 'data: x\ndata: y\n\n', ['x\ny']],
    ['three lines of data, one empty', 'data: x\ndata\ndata: y\n\n', ['x\n\ny']],
    ['a comment', ': x\n\ndata: y\n\n', ['y']],
    ['a comment inside an event', 'data: x\n: y\ndata: z\n\n', ['x\nz']],
    ['only a retry time', 'retry: 5\n\n', []],
    ['an id with NUL', 'id: a\u0000b\ndata: x\n\n', ['x']],
    ['unknown names', 'database: x\nDATA: x\n data: x\ndata : x\ndata: y\n\n', ['y']],
    ['a type', 'event: ping\ndata: x\n\ndata: y\n\n', ['ping/x', 'y']],
    ['a type behind the data', 'data: x\nevent: ping\n\n', ['ping/x']],
    ['a type without data', 'event: ping\n\ndata: x\n\n', ['x']],
    ['the last type counts', 'event: a\nevent\ndata: x\n\n', ['x']],
    ['many blank lines', '\n\n\ndata: x\n\n\n\n', ['x']],
    ['nothing', '', []],
  ])('%s', (_, stream, events) => {
    expect(dataOf(stream)).toEqual(events)
  })

  test('characters of several bytes, split between them', () => {
    const bytes = Buffer.from('data: é 龍 🦔\n\n')
    for (let at = 1; at < bytes.length; at++) {
      expect(split([bytes.subarray(0, at), bytes.subarray(at)]).events[0]?.data).toBe('é 龍 🦔')
    }
  })

  test('CR and LF in two reads are one line end', () => {
    expect(split(['data: x\r', '\ndata: y\r', '\n\r', '\n']).events).toMatchObject([{ data: 'x\ny' }])
    expect(split(['data: x\r', '', '\n\r\n']).events).toMatchObject([{ data: 'x' }])
  })

  test('100,000 small events in one piece', () => {
    expect(split(['data: x\n\n'.repeat(100_000)]).events).toHaveLength(100_000)
  })
})

describe('beyond the standard', () => {
  test.each<[string, string, string[]]>([
    [
      'JSON behind JSON without a blank line',
      'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n\n',
      ['{"a":1}', '{"b":2}', '[DONE]'],
    ],
    ['JSON over several lines', 'data: {"a":\ndata: {"b":2}\ndata: }\n\n', ['{"a":\n{"b":2}\n}']],
    ['lines of JSON', '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['a line of JSON behind data', 'data: x\n{"b":2}\n\n', ['x', '{"b":2}']],
    ['an error field', 'data: x\nerror: {"a":1}\n\n', ['x', 'error/{"a":1}']],
    ['a status in a comment', 'event: e\n:HTTP_STATUS/429\ndata:x\n\ndata:y\n\n', ['429/e/x', 'y']],
    ['other comments of the kind', ':HTTP_STATUS/\n:HTTP_STATUS/4x9\n: HTTP_STATUS/500\ndata:x\n\n', ['x']],
  ])('%s', (_, stream, events) => {
    expect(dataOf(stream)).toEqual(events)
  })

  test.each<[string, string, string[], boolean]>([
    ['nothing begun', 'data: x\n\n', ['x'], false],
    ['JSON without a blank line', 'data: {"a":1}\n', ['{"a":1}'], false],
    ['JSON without a line end', 'data: {"a":1}', ['{"a":1}'], false],
    ['JSON over several lines without a line end', 'data: {"a":\ndata: 1}', ['{"a":\n1}'], false],
    ['a line of JSON without a line end', '{"a":1}', ['{"a":1}'], false],
    ['`[DONE]` without a line end', 'data: x\n\ndata: [DONE]', ['x', '[DONE]'], false],
    ['half of `[DONE]`', 'data: x\n\ndata: [DON', ['x'], true],
    ['half an object', 'data: {"a":1', [], true],
    ['half an object on a line of its own', '{"a":1', [], true],
    ['words', 'data: x\n', [], true],
    ['half behind a whole', 'data: {"a":1}\ndata: {"b', ['{"a":1}'], true],
    ['a name', 'data', [], true],
    ['half a name', 'dat', [], true],
    ['a colon', 'data:', [], true],
    ['a type', 'event: x', [], true],
    ['a type and its line end', 'event: x\n', [], true],
    ['a comment', ': x', [], false],
    ['an id', 'id: 5', [], false],
    ['a byte order mark', '\uFEFF', [], false],
    ['half a character', Buffer.from('data: é').toString('latin1'), [], true],
  ])('an end in the middle: %s', (_, stream, events, cut) => {
    const seen = split([stream])
    expect(seen.events.map(({ data }) => data)).toEqual(events)
    expect(seen.cut).toBe(cut)
    expect(split(bytewise(Buffer.from(stream)))).toEqual(seen)
  })
})

test('`[DONE]` is told at once', () => {
  for (const stream of ['data: [DONE]', 'data:[DONE]', 'data: {}\ndata: [DONE]', 'data: [DONE]\n', 'data: [DONE]\r']) {
    for (const reads of [[Buffer.from(stream)], bytewise(Buffer.from(stream))]) {
      const told: string[] = []
      const splitter = createSplitter()
      for (const bytes of reads) splitter.push(bytes, ({ data }) => void told.push(data.toString()))
      expect(told.at(-1)).toBe('[DONE]')
    }
  }
})

const ends = fc.constantFrom('\n', '\r', '\r\n')
const word = fc.string({ unit: fc.constantFrom('a', 'é', '🦔', ' ', ':', '\u2028', '\u0085', 'data: '), maxLength: 6 })
const plainLine = fc.oneof(
  word.map(text => `data: ${text}`),
  word.map(text => `data:${text}`),
  word.map(text => `event: ${text}`),
  word.map(text => `: ${text}`),
  word.map(text => `id: ${text}`),
  word.map(text => `x${text}`),
  fc.constantFrom('', '', '', 'data', 'event', 'retry: 5'),
)
const oddLine = fc.oneof(
  plainLine,
  fc.constantFrom(
    '{"a":1}',
    '{"a":',
    '}',
    'data: {"a":1}',
    'data: {"a":',
    'data: 1}',
    'data: [DONE]',
    'data:[',
    'error: x',
    ':HTTP_STATUS/429',
    `: ${'long '.repeat(20)}`,
    'dat',
    'eventually: x',
    '\uFEFFdata: x',
    '\u0000',
  ),
)
const streamOf = (line: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.boolean(), fc.array(fc.tuple(line, ends), { maxLength: 30 }), fc.oneof(fc.constant(''), line))
    .map(([mark, lines, last]) => `${mark ? '\uFEFF' : ''}${lines.flat().join('')}${last}`)
const places = fc.array(fc.nat(2000), { maxLength: 12 })

/** The standard as it is written, over the whole text at once. */
function reference(text: string): { data: string; type: string }[] {
  const events: { data: string; type: string }[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  let data: string[] = []
  let type = ''
  // What stands behind the last line end is no line.
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) events.push({ data: data.join('\n'), type })
      data = []
      type = ''
      continue
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/su.exec(line)!
    if (name === 'data') data.push(value)
    if (name === 'event') type = value
  }
  return events
}

describe('any stream', () => {
  test('gives the events of the standard', () => {
    fc.assert(
      fc.property(streamOf(plainLine), stream => {
        const { events } = split([`${stream}\n\n`])
        expect(events.map(({ data, type }) => ({ data, type }))).toEqual(reference(`${stream}\n\n`))
      }),
      { numRuns: 500 },
    )
  })

  test('gives the same however it is cut', () => {
    fc.assert(
      fc.property(streamOf(oddLine), places, (stream, at) => {
        const bytes = Buffer.from(stream)
        const whole = split([bytes])
        expect(split(cutAt(bytes, at))).toEqual(whole)
        expect(split(bytewise(bytes))).toEqual(whole)
      }),
      { numRuns: 500 },
    )
  })

  test('gives the same with other line ends and with comments between its lines', () => {
    const events = fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { maxLength: 6 })
    fc.assert(
      fc.property(events, ends, fc.boolean(), (list, end, comments) => {
        const lines = list.flatMap(texts => [...texts.map(text => `data: ${text}`), ''])
        const plain = split([lines.map(line => `${line}\n`).join('')])
        const dressed = lines.map(line => `${line}${end}${comments ? `: note${end}` : ''}`).join('')
        expect(split([dressed])).toEqual(plain)
      }),
    )
  })
})

const KIB = 1024
const read = Buffer.alloc(64 * KIB, 'x')

/** How many bytes are pushed before the splitter has enough; -1 where it never has. */
function endure(limit: number, opening: string, reads: number, piece: Buffer = read): number {
  const splitter = createSplitter(limit)
  splitter.push(Buffer.from(opening), () => undefined)
  for (let count = 1; count <= reads; count++) {
    try {
      splitter.push(piece, () => undefined)
    } catch {
      return count * piece.length
    }
  }
  return -1
}

/** The event's length, or why there is none. */
function lengthOf(reads: readonly Buffer[], limit?: number): number | string | undefined {
  try {
    return split(reads, limit).events[0]?.data.length
  } catch (error) {
    return (error as UpstreamError).code
  }
}

function pushAll(stream: string, step: number): void {
  const splitter = createSplitter()
  const bytes = Buffer.from(stream)
  for (let at = 0; at < bytes.length; at += step) splitter.push(bytes.subarray(at, at + step), () => undefined)
}

describe('limits', () => {
  test.each(['data: ', 'data:', '{', 'event: ', 'error: '])(
    'a line that begins with %j does not grow without end',
    opening => {
      const pushed = endure(256 * KIB, opening, 1024)
      expect(pushed).toBeGreaterThanOrEqual(256 * KIB - 64 * KIB)
      expect(pushed).toBeLessThanOrEqual(256 * KIB + 64 * KIB)
    },
  )

  test.each(['data: x\n', 'data\n', 'data: xxxxxxxx\r\n'])(
    'lines of %j that are never dispatched do not pile up',
    line => {
      const piece = Buffer.from(line.repeat(4096))
      const pushed = endure(256 * KIB, '', 1024, piece)
      expect(pushed).toBeGreaterThan(0)
      expect(pushed).toBeLessThanOrEqual(8 * 256 * KIB)
    },
  )

  test.each([': ', 'id: ', 'database: ', 'x'])('of 64 MiB of a line that begins with %j nothing is kept', opening => {
    const before = process.memoryUsage().arrayBuffers
    expect(endure(256 * KIB, opening, 1024)).toBe(-1)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * KIB)
  })

  test.each([
    [300, 300],
    [301, 'upstream_malformed'],
  ])('an event of %i bytes under a limit of 300, however it is cut: %s', (length, outcome) => {
    for (const text of [`data: ${'x'.repeat(length)}\n\n`, `data:${'x'.repeat(length - 8)}\ndata: xxxxxxx\n\n`]) {
      const bytes = Buffer.from(text)
      for (const reads of [[bytes], bytewise(bytes), cutAt(bytes, [7, 290]), cutAt(bytes, [301, 302, 303])]) {
        expect(lengthOf(reads, 300)).toBe(outcome)
      }
    }
  })

  test.each([
    ['16 MiB passes', 16 * KIB * KIB, 16 * KIB * KIB],
    ['a byte more does not', 16 * KIB * KIB + 1, 'upstream_malformed'],
  ])('an event of %s, in small reads too', (_, length, outcome) => {
    const bytes = Buffer.from(`data: ${'x'.repeat(length)}\n\n`)
    const reads = Array.from({ length: Math.ceil(bytes.length / read.length) }, (__, at) =>
      bytes.subarray(at * read.length, (at + 1) * read.length),
    )
    expect(lengthOf([bytes])).toBe(outcome)
    expect(lengthOf(reads)).toBe(outcome)
  })

  const shapes: readonly (readonly [string, (size: number) => string, number])[] = [
    ['one line', size => `data: ${'x'.repeat(size)}\n\n`, KIB],
    ['one line byte by byte', size => `data: ${'x'.repeat(size / 16)}\n\n`, 1],
    ['an event a read', size => `data: ${'x'.repeat(KIB - 8)}\n\n`.repeat(size / KIB), KIB],
    ['an event over two reads', size => `data: ${'x'.repeat(KIB)}\n\n`.repeat(size / KIB), KIB],
    ['small events', size => 'data: xxxxxxxx\n\n'.repeat(size / 16), KIB],
    ['many lines of one event', size => 'data: xxxxxxxxx\n'.repeat(size / 16), KIB],
    ['lines that end in CR', size => 'data: xxxxxxxx\r\r'.repeat(size / 16), 64 * KIB],
  ]

  test.each(shapes)('work grows with length: %s', (_, make, step) => {
    for (const size of [64 * KIB, 1024 * KIB]) {
      const stream = make(size)
      const copy = vi.spyOn(Buffer.prototype, 'copy')
      const search = vi.spyOn(Buffer.prototype, 'indexOf')
      pushAll(stream, step)
      const copied = copy.mock.results.reduce((sum, { value }) => sum + Number(value), 0)
      const searched = search.mock.results.reduce((sum, { value: found }, at) => {
        const from = Number(search.mock.calls[at]![1])
        return sum + (found === -1 ? (search.mock.contexts[at] as unknown as Buffer).length : Number(found)) - from
      }, 0)
      vi.restoreAllMocks()
      expect(copied / Buffer.byteLength(stream)).toBeLessThan(3)
      expect(searched / Buffer.byteLength(stream)).toBeLessThan(2.1)
    }
  })
})
