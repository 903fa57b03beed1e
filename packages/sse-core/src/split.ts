import { UpstreamError } from '@millrace/core'
import { parseJson } from './json.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const SPACE = 0x20
const BRACE = 0x7b
const BRACKET = 0x5b

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
/** Longer comments are not kept: all that is read in one is DashScope's `:HTTP_STATUS/429`. */
const MAX_COMMENT = 64
const HTTP_STATUS = Buffer.from(':HTTP_STATUS/')

export interface SseEvent {
  /** The data lines joined with LF; a view into what was pushed wherever the event came in one piece. */
  readonly data: Buffer
  /** The value of `event:`, or empty. A bare `error:` field (old llama.cpp) comes as an event of type `error`. */
  readonly type: string
  /** The status a comment of the event names (`:HTTP_STATUS/429`, DashScope), else 0. */
  readonly status: number
}

export interface Splitter {
  /** Hands every event that is complete with these bytes to `onEvent`. @throws {UpstreamError} `upstream_malformed` */
  push(bytes: Buffer, onEvent: (event: SseEvent) => void): void
  /** The stream is over. Returns whether it stopped in the middle of an event; one that only lacks its blank line is handed on. */
  end(onEvent: (event: SseEvent) => void): boolean
}

/**
 * Bytes → server-sent events, whatever the splits: LF, CR or CRLF, a byte order mark, comments, any number of data
 * lines. Tolerates what servers do beyond the standard: no blank line between two JSON payloads, and lines that are
 * JSON without `data:`. Time is linear; what is kept is at most one event of `maxBytes`, and nothing of ignored lines.
 */
export function createSplitter(maxBytes: number = DEFAULT_MAX_BYTES): Splitter {
  const tail = new Tail()
  let skipping = false // the rest of the current line is of no interest
  let afterCr = false // the last read ended in CR: an LF right now belongs to it
  let atStart = true
  let data: Buffer[] = []
  let dataBytes = 0
  let type = ''
  let status = 0

  function dispatch(onEvent: (event: SseEvent) => void): void {
    if (data.length > 0) {
      const whole =
        data.length === 1 ? data[0]! : Buffer.concat(data.flatMap((line, at) => (at === 0 ? line : [NEWLINE, line])))
      onEvent({ data: whole, type, status })
      data = []
      dataBytes = 0
    }
    type = ''
    status = 0
  }

  function addData(line: Buffer, onEvent: (event: SseEvent) => void): void {
    const [only] = data
    if (only !== undefined && data.length === 1 && (line[0] === BRACE || line[0] === BRACKET) && isWhole(only))
      dispatch(onEvent)
    dataBytes += line.length
    if (dataBytes > maxBytes) throw tooLarge(maxBytes)
    data.push(line)
  }

  /** One line, without its end. */
  function readLine(bytes: Buffer, start: number, end: number, onEvent: (event: SseEvent) => void): void {
    if (start === end) return dispatch(onEvent)
    const first = bytes[start]
    if (first === BRACE) {
      dispatch(onEvent)
      data.push(bytes.subarray(start, end))
      return dispatch(onEvent)
    }
    if (first === COLON) {
      if (bytes.compare(HTTP_STATUS, 0, HTTP_STATUS.length, start, Math.min(start + HTTP_STATUS.length, end)) === 0) {
        status = Number(bytes.toString('latin1', start + HTTP_STATUS.length, end)) || 0
      }
      return
    }
    const length = end - start
    if (startsWith(bytes, start, end, DATA)) {
      if (length === 4) addData(EMPTY, onEvent)
      else if (bytes[start + 4] === COLON) addData(valueOf(bytes, start + 5, end), onEvent)
    } else if (startsWith(bytes, start, end, EVENT)) {
      if (bytes[start + 5] === COLON) type = valueOf(bytes, start + 6, end).toString()
    } else if (startsWith(bytes, start, end, ERROR) && bytes[start + 5] === COLON) {
      dispatch(onEvent)
      type = 'error'
      addData(valueOf(bytes, start + 6, end), onEvent)
      dispatch(onEvent)
    }
  }

  /** The beginning of a line whose end is still to come. */
  function keep(part: Buffer): void {
    if (skipping || part.length === 0) return
    tail.append(part)
    if (tail.length + dataBytes > maxBytes) throw tooLarge(maxBytes)
    if (isIgnorable(tail.peek())) {
      tail.take()
      skipping = true
    }
  }

  function endLine(bytes: Buffer, start: number, end: number, onEvent: (event: SseEvent) => void): void {
    if (skipping) {
      skipping = false
      return
    }
    if (tail.length > 0) {
      tail.append(bytes.subarray(start, end))
      bytes = tail.take()
      start = 0
      end = bytes.length
    }
    if (atStart) {
      atStart = false
      if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) start += 3
    }
    readLine(bytes, start, end, onEvent)
  }

  return {
    push(bytes, onEvent) {
      let at = 0
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
        if (end === -1) return keep(bytes.subarray(at))
        endLine(bytes, at, end, onEvent)
        at = end + 1
        if (end === cr) {
          if (at === bytes.length) afterCr = true
          else if (bytes[at] === LF) at++
        }
      }
    },
    end(onEvent) {
      if (tail.length > 0) endLine(EMPTY, 0, 0, onEvent)
      const whole = data.length === 0 || isWhole(data.length === 1 ? data[0]! : Buffer.concat(data))
      if (whole) dispatch(onEvent)
      return !whole
    },
  }
}

const EMPTY = Buffer.alloc(0)
const NEWLINE = Buffer.from('\n')
const DATA = Buffer.from('data')
const EVENT = Buffer.from('event')
const ERROR = Buffer.from('error')

function startsWith(bytes: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start < word.length) return false
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return false
  return true
}

function valueOf(bytes: Buffer, start: number, end: number): Buffer {
  return bytes.subarray(bytes[start] === SPACE && start < end ? start + 1 : start, end)
}

/** Whether a line that begins like this can be neither data nor a type, nor a comment worth reading. */
function isIgnorable(line: Buffer): boolean {
  const first = line[0]
  if (first === COLON) return line.length > MAX_COMMENT
  if (first === BRACE || first === 0xef) return false
  return ![DATA, EVENT, ERROR].some(word => startsWith(line, 0, line.length, word.subarray(0, line.length)))
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

/** Bytes of an unfinished line, gathered in one growing buffer: each is copied twice on average, however small the reads. */
class Tail {
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
