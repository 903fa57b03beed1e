import { isUtf8 } from 'node:buffer'
import { GatewayError } from './errors.ts'

const MAX_DEPTH = 64
const MAX_KEYS = 10_000

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Where one member of the outermost object stands in the bytes: from its name's opening quote to its value's end. */
interface Member {
  readonly start: number
  end: number
}

/** Members to set, or, where undefined, to leave out. */
export type Edits = Readonly<Record<string, unknown>>

/**
 * A JSON object together with the bytes it was read from, so that it can be sent on with a few members changed and all
 * else byte for byte as it came.
 */
export class JsonSource {
  readonly value: Record<string, unknown>
  readonly #bytes: Buffer
  readonly #members: ReadonlyMap<string, Member>

  constructor(bytes: Buffer, value: Record<string, unknown>, members: ReadonlyMap<string, Member>) {
    this.#bytes = bytes
    this.value = value
    this.#members = members
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  /** The object as JSON, with the outermost members in `edits` set or left out. */
  with(edits: Edits): Buffer {
    const parts: Buffer[] = []
    const add = (part: Buffer): void => void parts.push(parts.length === 0 ? OPEN : COMMA, part)
    for (const [name, { start, end }] of this.#members) {
      if (!Object.hasOwn(edits, name)) add(this.#bytes.subarray(start, end))
    }
    for (const [name, value] of Object.entries(edits)) {
      if (value !== undefined) add(Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`))
    }
    return parts.length === 0 ? Buffer.from('{}') : Buffer.concat([...parts, CLOSE])
  }
}

const OPEN = Buffer.from('{')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from('}')

/**
 * Bytes → the JSON object they hold, checked so that no two readers can understand it differently: UTF-8 (a leading
 * byte order mark is dropped), at most 64 levels deep, at most 10,000 members in an object, no member twice at any
 * level, finite numbers, and no names that reach for prototypes.
 * @throws {GatewayError} `invalid_json`
 */
export function parseJsonSource(received: Buffer): JsonSource {
  const bytes = received[0] === 0xef && received[1] === 0xbb && received[2] === 0xbf ? received.subarray(3) : received
  if (!isUtf8(bytes)) throw invalid('The body is not valid UTF-8.')
  const members = scan(bytes)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch (cause) {
    throw new GatewayError('invalid_json', `The body is not valid JSON: ${describe(cause)}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('The body must be a JSON object.')
  }
  return new JsonSource(bytes, value as Record<string, unknown>, members)
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_json', message)
}

/** What the parser says without the text around the fault: that is the client's prompt. */
function describe(cause: unknown): string {
  const [reason = ''] = (cause as Error).message.split(/, (?:\.\.\.)?"|\s(?:in|after) JSON at/)
  const at = /position \d+/.exec((cause as Error).message)?.[0]
  return at === undefined ? `${reason}.` : `${reason}, at ${at}.`
}

interface Level {
  /** Names seen in this object; undefined in an array. */
  readonly names: NameSet | undefined
  /** The name under which this level stands in its parent. */
  readonly under: string | undefined
}

/**
 * Walks over the bytes once, checks what is to be refused before anything is built from it, and returns where the
 * outermost members stand. Sound only for valid JSON: what is not fails in the parser right after.
 */
function scan(bytes: Buffer): Map<string, Member> {
  const members = new Map<string, Member>()
  const levels: Level[] = []
  let names: NameSet | undefined
  let name: string | undefined
  let member: Member | undefined
  let expectName = false
  let lastEnd = 0 // where the last token ended, so that a member's end leaves out the white space behind it
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!
    switch (byte) {
      case QUOTE: {
        const end = endOfString(bytes, at)
        if (expectName && names !== undefined) {
          name = nameOf(bytes, at, end)
          names.add(name)
          refuse(name, levels)
          if (levels.length === 1) members.set(name, (member = { start: at, end }))
          expectName = false
        }
        at = lastEnd = end
        continue
      }
      case 0x7b: // {
      case 0x5b: // [
        if (levels.length === MAX_DEPTH) throw invalid(`The body is nested more than ${MAX_DEPTH} levels deep.`)
        names = byte === 0x7b ? new NameSet() : undefined
        levels.push({ names, under: name })
        expectName = names !== undefined
        name = undefined
        break
      case 0x7d: // }
      case 0x5d: // ]
        if (levels.length === 1 && member !== undefined) member.end = lastEnd
        levels.pop()
        names = levels.at(-1)?.names
        expectName = false
        name = undefined
        break
      case 0x2c: // ,
        if (levels.length === 1 && member !== undefined) member.end = lastEnd
        expectName = names !== undefined
        name = undefined
        at++
        continue
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
      case 0x3a: // :
        at++
        continue
      default:
        if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
          at = lastEnd = endOfNumber(bytes, at)
          continue
        }
    }
    lastEnd = ++at
  }
  return members
}

/** Few names are compared one by one, many through a set. */
class NameSet {
  #few: string[] = []
  #many: Set<string> | undefined

  add(name: string): void {
    if (this.#many === undefined) {
      if (this.#few.includes(name)) throw twice(name)
      this.#few.push(name)
      if (this.#few.length > 16) this.#many = new Set(this.#few)
      return
    }
    if (this.#many.has(name)) throw twice(name)
    if (this.#many.size === MAX_KEYS) throw invalid(`An object in the body has more than ${MAX_KEYS} members.`)
    this.#many.add(name)
  }
}

function twice(name: string): GatewayError {
  return new GatewayError(
    'invalid_json',
    `The member ${JSON.stringify(name.slice(0, 64))} stands twice in one object.`,
    {
      param: name.slice(0, 64),
    },
  )
}

function refuse(name: string, levels: readonly Level[]): void {
  const reaches =
    name === '__proto__' ||
    (name === 'prototype' && levels.at(-1)?.under === 'constructor') ||
    (levels.length === 1 && name in Object.prototype)
  if (reaches) throw new GatewayError('invalid_json', `A member may not be called "${name}".`, { param: name })
}

function nameOf(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString('utf8', start + 1, end - 1)
  if (!raw.includes('\\')) return raw
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    return raw // not JSON at all, which the parser is about to say
  }
}

/** Behind the closing quote of the string that opens at `start`. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1
  // Names and short values end soon, and a call into native code costs more than a few steps here.
  for (const near = Math.min(at + 32, bytes.length); at < near; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) break
  }
  let from = at
  for (;;) {
    const quote = bytes.indexOf(QUOTE, from)
    if (quote === -1) return bytes.length
    let slashes = 0
    while (quote - 1 - slashes >= at && bytes[quote - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return quote + 1
    from = quote + 1
  }
}

function endOfNumber(bytes: Buffer, start: number): number {
  let end = start + 1
  let large = false
  for (; end < bytes.length; end++) {
    const byte = bytes[end]!
    if (byte === 0x65 || byte === 0x45) large = true
    else if (!(byte >= 0x30 && byte <= 0x39) && byte !== 0x2b && byte !== 0x2d && byte !== 0x2e) break
  }
  // What is no number at all gives NaN here and is left to the parser.
  if ((large || end - start > 300) && Math.abs(Number(bytes.toString('latin1', start, end))) === Infinity) {
    throw invalid('A number in the body is too large.')
  }
  return end
}
