import { isUtf8 } from 'node:buffer'
import { encodeEvent } from './encode.ts'
import type { ChatChunk, Delta, Frame } from '@millrace/core'

/** Where the text of a chunk stands. */
export type Channel = 'content' | 'reasoning_content' | 'arguments'

/** How the text looks in the events of the upstream: around it, in ours. */
export interface Template {
  readonly channel: Channel
  /** The frame for an event that differs from the learned one in nothing but its text; undefined for any other event. */
  match(data: Buffer): TextFrame | undefined
}

/** Something no upstream has a reason to send, and that looks the same in JSON as it is. */
const PROBE = 'millrace-probe-4f1c9e'

/**
 * Within one stream an upstream repeats the same bytes around ever new text. From one event that was understood in full,
 * learns those bytes, so that events like it need no parsing: what is emitted around the text is ours, and the text is
 * checked to be valid JSON text. Undefined where the bytes do not allow it.
 *
 * @param data the event's data
 * @param value what it was parsed to
 * @param text the text found in it
 * @param emitted the chunk that the event became, with one choice
 */
export function learnTemplate(
  data: Buffer,
  value: unknown,
  text: string,
  channel: Channel,
  emitted: ChatChunk,
): Template | undefined {
  const around = splitAround(data, value, text)
  if (around === undefined) return undefined
  const [prefix, suffix] = around
  const probed = encodeEvent(withText(emitted, channel, PROBE))
  const at = probed.indexOf(PROBE)
  const before = Buffer.from(probed.slice(0, at))
  const after = Buffer.from(probed.slice(at + PROBE.length))

  return {
    channel,
    match(data) {
      const end = data.length - suffix.length
      if (end <= prefix.length || !equals(data, 0, prefix) || !equals(data, end, suffix)) return undefined
      if (!isJsonText(data, prefix.length, end)) return undefined
      const length = end - prefix.length
      const bytes = Buffer.allocUnsafe(before.length + length + after.length)
      bytes.set(before, 0)
      data.copy(bytes, before.length, prefix.length, end)
      bytes.set(after, before.length + length)
      return new TextFrame(bytes, before.length, before.length + length, channel, emitted)
    },
  }
}

/** A chunk with nothing but text, as bytes; parsed when somebody looks. */
export class TextFrame implements Frame {
  readonly bytes: Buffer
  readonly channel: Channel
  readonly #start: number
  readonly #end: number
  readonly #like: ChatChunk
  #chunk: ChatChunk | undefined

  constructor(bytes: Buffer, start: number, end: number, channel: Channel, like: ChatChunk) {
    this.bytes = bytes
    this.#start = start
    this.#end = end
    this.channel = channel
    this.#like = like
  }

  /** Where in {@link bytes} the text begins. */
  get textStart(): number {
    return this.#start
  }

  /** How long the text is in JSON, bytes. */
  get textBytes(): number {
    return this.#end - this.#start
  }

  get chunk(): ChatChunk {
    return (this.#chunk ??= withText(this.#like, this.channel, this.text))
  }

  get text(): string {
    return JSON.parse(`"${this.bytes.toString('utf8', this.#start, this.#end)}"`) as string
  }

  /** The text as it stands in JSON: its bytes as the characters of a string. */
  get rawText(): string {
    return this.bytes.toString('latin1', this.#start, this.#end)
  }

  /** The same as bytes: a view, not to be changed. */
  get rawBytes(): Buffer {
    return this.bytes.subarray(this.#start, this.#end)
  }

  /** How long the text is, UTF-16 units: never more than {@link textBytes}. Counted without reading the text. */
  get textUnits(): number {
    let units = 0
    for (let at = this.#start; at < this.#end; at++) {
      const byte = this.bytes[at]!
      if (byte === BACKSLASH) at++
      if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1
    }
    return units
  }

  /** Whether this ASCII character, one that JSON has no escape for, is in the text. */
  hasCharacter(code: number): boolean {
    for (let at = this.#start; at < this.#end; at++) if (this.bytes[at] === code) return true
    return false
  }

  /** The index of the choice that the text belongs to. */
  get choice(): number {
    return this.#like.choices[0]!.index
  }

  /** The index of the tool call whose arguments the text belongs to; 0 in other channels. */
  get call(): number {
    return this.#like.choices[0]!.delta.tool_calls?.[0]?.index ?? 0
  }
}

/** The chunk, which has one choice, with another text in its place. */
export function withText(chunk: ChatChunk, channel: Channel, text: string): ChatChunk {
  const choice = chunk.choices[0]!
  const delta: Delta =
    channel === 'arguments'
      ? { tool_calls: [{ index: choice.delta.tool_calls![0]!.index, function: { arguments: text } }] }
      : { [channel]: text }
  return { ...chunk, choices: [{ ...choice, delta }] }
}

/**
 * What stands before and after the text in the event's JSON. Proved, not guessed: with another text between the two the
 * event must parse to the same value but for that text.
 */
function splitAround(data: Buffer, value: unknown, text: string): [Buffer, Buffer] | undefined {
  const expected = JSON.stringify(value)
  const quoted = JSON.stringify(text)
  const inExpected = expected.indexOf(quoted)
  // The text must stand in the value just once, or a mere comparison could not tell which one changed.
  if (inExpected === -1 || expected.includes(quoted, inExpected + 1)) return undefined
  const changed = expected.replace(quoted, () => `"${PROBE}"`)
  const raw = data.toString()
  const at = raw.indexOf(quoted)
  if (at === -1) return undefined
  const prefix = raw.slice(0, at + 1)
  const suffix = raw.slice(at + quoted.length - 1)
  try {
    if (JSON.stringify(JSON.parse(`${prefix}${PROBE}${suffix}`)) !== changed) return undefined
  } catch {
    return undefined // the text stands in the bytes in a place where it is no string of its own
  }
  return [Buffer.from(prefix), Buffer.from(suffix)]
}

function equals(data: Buffer, start: number, expected: Buffer): boolean {
  return data.compare(expected, 0, expected.length, start, start + expected.length) === 0
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `"`, `\`, `/`, b, f, n, r, t: what may follow a backslash, besides u. */
const ESCAPABLE: ReadonlySet<number> = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74])

/**
 * Whether the bytes are the inside of one JSON string that may go out as it stands: valid escapes, valid UTF-8, and
 * none of the characters at which line readers break. A `\u` escape counts as no: rare, and left to the parser.
 */
function isJsonText(data: Buffer, start: number, end: number): boolean {
  let ascii = true
  for (let at = start; at < end; at++) {
    const byte = data[at]!
    if (byte >= 0x80) {
      ascii = false
      if (byte === 0xc2 && data[at + 1] === 0x85) return false
      if (byte === 0xe2 && data[at + 1] === 0x80 && (data[at + 2] === 0xa8 || data[at + 2] === 0xa9)) return false
    } else if (byte < 0x20 || byte === QUOTE) {
      return false
    } else if (byte === BACKSLASH) {
      at++
      if (at >= end || !ESCAPABLE.has(data[at]!)) return false
    }
  }
  return ascii || isUtf8(data.subarray(start, end))
}
