import type { Options } from './options.ts'
import type { DataEvent, StreamEvent } from './scenario.ts'

const LINE_ENDS = { lf: '\n', cr: '\r', crlf: '\r\n' } as const

/** Goes in turn between events where the option `comments` is on: nothing of it says anything. */
const FILLERS = [
  (eol: string) => `: keep-alive${eol}${eol}`,
  (eol: string) => `data:${eol}${eol}`,
  (eol: string) => `${eol}${eol}`,
  (eol: string) => `event: message${eol}id: 7${eol}retry: 3000${eol}${eol}`,
  (eol: string) => `:${eol}:: more to come${eol}`,
]

/** Stream events → the bytes of each, `[DONE]` included, in the framing that the common options ask for. */
export function* toFrames(events: Iterable<StreamEvent>, options: Options): Generator<Buffer> {
  const eol = LINE_ENDS[options.oneOf('eol', ['lf', 'cr', 'crlf'], 'lf')]
  const field = options.flag('space', true) ? 'data: ' : 'data:'
  const indent = options.flag('multiline', false) ? 1 : 0
  const comments = options.flag('comments', false)
  const between = options.flag('blank', true) ? eol : ''
  const done = options.oneOf('done', ['1', '0', '2', 'open'], '1')
  let mark = options.flag('bom', false) ? '\uFEFF' : ''

  const frame = ({ data, event, before = [] }: DataEvent): Buffer => {
    const lines = (typeof data === 'string' ? data : JSON.stringify(data, null, indent)).split('\n')
    const name = event === undefined ? '' : `event: ${event}${eol}`
    const head = before.map(line => line + eol).join('') + name
    const bytes = Buffer.from(`${mark}${head}${lines.map(line => field + line + eol).join('')}${between}`)
    mark = ''
    return bytes
  }

  let count = 0
  for (const event of events) {
    if (comments && count > 0) yield Buffer.from(FILLERS[count % FILLERS.length]!(eol))
    count++
    if ('data' in event) yield frame(event)
    else yield typeof event.bytes === 'string' ? Buffer.from(event.bytes) : event.bytes
  }
  if (done === '0') return
  yield frame({ data: '[DONE]' })
  if (done !== '2') return
  yield frame({ data: { choices: [{ index: 0, delta: { content: 'behind the end' }, finish_reason: null }] } })
  yield frame({ data: '[DONE]' })
}

/** Pieces joined, `count` at a time. */
export function* batched(pieces: Iterable<Buffer>, count: number): Generator<Buffer> {
  let group: Buffer[] = []
  for (const piece of pieces) {
    if (group.push(piece) < count) continue
    yield Buffer.concat(group)
    group = []
  }
  if (group.length > 0) yield Buffer.concat(group)
}

/** The first `limit` bytes, and no more. */
export function* cutOff(pieces: Iterable<Buffer>, limit: number): Generator<Buffer> {
  let left = limit
  for (const piece of pieces) {
    if (left === 0) return
    yield piece.subarray(0, left)
    left -= Math.min(left, piece.length)
  }
}

/** Pieces of at most `size` bytes. */
export function* split(pieces: Iterable<Buffer>, size: number): Generator<Buffer> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += size) yield piece.subarray(at, at + size)
  }
}

/** The first `count` bytes one at a time, then the rest in one piece. */
export function* trickled(pieces: Iterable<Buffer>, count: number): Generator<Buffer> {
  const rest: Buffer[] = []
  let left = count
  for (const piece of pieces) {
    yield* split([piece.subarray(0, left)], 1)
    rest.push(piece.subarray(left))
    left -= Math.min(left, piece.length)
  }
  yield Buffer.concat(rest)
}

const CRLF = Buffer.from('\r\n')

/** Each piece as a chunk of HTTP's chunked coding, the closing one left out. */
export function* toHttpChunks(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) {
    // A chunk of no bytes would end the body.
    if (piece.length > 0) yield Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF])
  }
}
