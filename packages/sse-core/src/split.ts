import { parseJson, UpstreamError } from '@millrace/core'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const SPACE = 0x20
const BRACE = 0x7b
const BRACKET = 0x5b
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const

const EMPTY = Buffer.alloc(0)
const NEWLINE = Buffer.from('\n')
const DATA = Buffer.from('data')
const EVENT = Buffer.from('event')
const ERROR = Buffer.from('error')
const DONE = Buffer.from('[DONE]')
const FIELDS = [DATA, EVENT, ERROR] as const

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
/** What may stand in a line before its data: `data: `, or `error: `. */
const MAX_PREFIX = 7
/** Longer comments are not kept: all that is read in one is DashScope's `:HTTP_STATUS/429`. */
const MAX_COMMENT = 64
const HTTP_STATUS = /^:HTTP_STATUS\/(\d{3})$/

export interface SseEvent {
  /** The data lines joined with LF; a view into what was pushed where the event came in one piece. */
  readonly data: Buffer
  /** The value of `event:`, or empty. A bare `error:` field (old llama.cpp) comes as an event of type `error`. */
  readonly type: string
  /** The status a comment of the event names (`:HTTP_STATUS/429`, DashScope), else 0. */
  readonly status: number
}

export interface Splitter {
  /** Hands every event that is complete with these bytes to `onEvent`. @throws {UpstreamError} `upstream_malformed` */
  push(bytes: Buffer, onEvent: (event: SseEvent) => void): void
  /**
   * The stream is over: an event that only lacks its blank line is handed on. Returns whether the stream stopped in the
   * middle of an event, which then counts for nothing. @throws {UpstreamError} `upstream_malformed`
   */
  end(onEvent: (event: SseEvent) => void): boolean
}

/**
 * Bytes → server-sent events, whatever the splits: LF, CR or CRLF, a byte order mark, comments, any number of data
 * lines. Tolerates what servers do beyond the standard: no blank line between two JSON payloads, and lines that are
 * JSON without `data:`. Time is linear; what is kept between two pushes is a copy of at most one event, whose data has
 * at most `maxBytes`, and nothing of ignored lines.
 */
export function createSplitter(maxBytes: number = DEFAULT_MAX_BYTES): Splitter {
  const tail = new Gathered() // the beginning of a line whose end is still to come
  let skipping = false // the rest of the current line is of no interest
  let afterCr = false // the last push ended in CR: an LF right now belongs to it
  let marks = 0 // how much of a byte order mark was left out at the start; all of it once it can no longer come
  let dataLines = 0
  let view: Buffer | undefined // the data where it is one line that needs no copy
  const joined = new Gathered() // else the data
  let type = ''
  let status = 0

  function copyView(): void {
    if (view !== undefined) joined.append(view)
    view = undefined
  }

  function dispatch(onEvent: (event: SseEvent) => void): void {
    const event = dataLines > 0 ? { data: view ?? joined.take(), type, status } : undefined
    view = undefined
    dataLines = 0
    type = ''
    status = 0
    if (event !== undefined) onEvent(event)
  }

  function addData(line: Buffer, onEvent: (event: SseEvent) => void): void {
    if (dataLines === 1 && opensJson(line) && isWhole(view ?? joined.peek())) dispatch(onEvent)
    if (++dataLines === 1) view = line
    else {
      copyView()
      joined.append(NEWLINE)
      joined.append(line)
    }
    if ((view ?? joined).length > maxBytes) throw tooLarge(maxBytes)
    // The last word of a stream, so that its blank line is not waited for: servers forget it and stay connected.
    if (dataLines === 1 && line.equals(DONE)) dispatch(onEvent)
  }

  /** One line, without its end. */
  function readLine(bytes: Buffer, start: number, end: number, onEvent: (event: SseEvent) => void): void {
    if (start === end) return dispatch(onEvent)
    const first = bytes[start]
    if (isField(bytes, start, end, DATA)) {
      addData(valueOf(bytes, start + DATA.length, end), onEvent)
    } else if (first === COLON) {
      if (end - start <= MAX_COMMENT)
        status = Number(HTTP_STATUS.exec(bytes.toString('latin1', start, end))?.[1] ?? status)
    } else if (first === BRACE) {
      dispatch(onEvent)
      addData(bytes.subarray(start, end), onEvent)
      dispatch(onEvent)
    } else if (isField(bytes, start, end, EVENT)) {
      type = valueOf(bytes, start + EVENT.length, end).toString()
    } else if (isField(bytes, start, end, ERROR)) {
      dispatch(onEvent)
      type = 'error'
      addData(valueOf(bytes, start + ERROR.length, end), onEvent)
      dispatch(onEvent)
    }
  }

  /** The beginning of a line whose end is still to come. */
  function keep(part: Buffer, onEvent: (event: SseEvent) => void): void {
    if (skipping || part.length === 0) return
    tail.append(part)
    if (isDone(tail.peek())) {
      const line = tail.take()
      skipping = true
      readLine(line, 0, line.length, onEvent)
    } else if (isIgnorable(tail.peek())) {
      tail.take()
      skipping = true
    }
    if (tail.length + (view ?? joined).length > maxBytes + MAX_PREFIX) throw tooLarge(maxBytes)
  }

  function endLine(bytes: Buffer, start: number, end: number, onEvent: (event: SseEvent) => void): void {
    if (skipping) {
      skipping = false
    } else if (tail.length > 0) {
      tail.append(bytes.subarray(start, end))
      const line = tail.take()
      readLine(line, 0, line.length, onEvent)
    } else {
      readLine(bytes, start, end, onEvent)
    }
  }

  /** Where the text begins, behind what there is of a byte order mark. */
  function skipMark(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && marks < BYTE_ORDER_MARK.length) {
      if (bytes[at] !== BYTE_ORDER_MARK[marks]) {
        marks = BYTE_ORDER_MARK.length
      } else {
        marks++
        at++
      }
    }
    return at
  }

  return {
    push(bytes, onEvent) {
      let at = marks < BYTE_ORDER_MARK.length ? skipMark(bytes) : 0
      if (afterCr && bytes.length > 0) {
        afterCr = false
        if (bytes[0] === LF) at = 1
      }
      // Each search starts where the last one of its kind was used up, so that no byte is looked at twice.
      let lf = bytes.indexOf(LF, at)
      let cr = bytes.indexOf(CR, at)
      while (at < bytes.length) {
        if (lf !== -1 && lf < at) lf = bytes.indexOf(LF, at)
        if (cr !== -1 && cr < at) cr = bytes.indexOf(CR, at)
        const end = cr !== -1 && (lf === -1 || cr < lf) ? cr : lf
        if (end === -1) {
          keep(bytes.subarray(at), onEvent)
          break
        }
        endLine(bytes, at, end, onEvent)
        at = end + 1
        if (end === cr) {
          if (at === bytes.length) afterCr = true
          else if (bytes[at] === LF) at++
        }
      }
      // Of the read nothing may be held on to: it is not ours, and may be much larger than what is needed of it.
      if (view?.buffer === bytes.buffer) copyView()
    },
    end(onEvent) {
      const line = tail.take()
      if (line[0] === BRACE) {
        dispatch(onEvent)
        addData(line, onEvent)
      } else if (line.length > 0) {
        readLine(line, 0, line.length, onEvent)
      }
      const halfName = line.length > 0 && FIELDS.some(name => isPrefix(line, name))
      const cut = halfName || (dataLines > 0 ? !isWhole(view ?? joined.peek()) : type !== '')
      if (!cut) dispatch(onEvent)
      return cut
    },
  }
}

/** Whether the line is the field of this name, with a value or without. */
function isField(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  const after = start + name.length
  if (after > end || (after < end && bytes[after] !== COLON)) return false
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false
  return true
}

/** What stands behind a field's name: the colon and one space are no part of it. */
function valueOf(bytes: Buffer, afterName: number, end: number): Buffer {
  const start = afterName + 1
  return start > end ? EMPTY : bytes.subarray(bytes[start] === SPACE && start < end ? start + 1 : start, end)
}

/** Whether an unfinished line says already that the stream is over. */
function isDone(line: Buffer): boolean {
  const start = line.length - DONE.length
  return (start === 5 || start === 6) && line.subarray(start).equals(DONE) && isField(line, 0, line.length, DATA)
}

/** Whether a line that begins like this can be neither data nor a type, nor a comment worth reading. */
function isIgnorable(line: Buffer): boolean {
  const first = line[0]
  if (first === COLON) return line.length > MAX_COMMENT
  if (first === BRACE) return false
  return !FIELDS.some(name => isField(line, 0, line.length, name) || isPrefix(line, name))
}

function isPrefix(line: Buffer, name: Buffer): boolean {
  return line.length < name.length && name.compare(line, 0, line.length, 0, line.length) === 0
}

function opensJson(line: Buffer): boolean {
  return line[0] === BRACE || line[0] === BRACKET
}

function isWhole(data: Buffer): boolean {
  const text = data.toString()
  return text.trim() === '[DONE]' || parseJson(text) !== undefined
}

function tooLarge(maxBytes: number): UpstreamError {
  return new UpstreamError(
    'upstream_malformed',
    `The upstream sent an event of more than ${Math.floor(maxBytes / 1048576)} MiB.`,
  )
}

/** Bytes gathered in one growing buffer: each is copied twice on average, however small the pieces. */
class Gathered {
  #bytes = EMPTY
  length = 0

  append(part: Buffer): void {
    const length = this.length + part.length
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length * 2, 512))
      this.#bytes.copy(grown, 0, 0, this.length)
      this.#bytes = grown
    }
    part.copy(this.#bytes, this.length)
    this.length = length
  }

  peek(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  /** What was gathered; it is the caller's from now on. */
  take(): Buffer {
    const bytes = this.peek()
    this.#bytes = EMPTY
    this.length = 0
    return bytes
  }
}
