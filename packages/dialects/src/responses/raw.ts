import { encodeLine } from '@millrace/sse-core'

// Answers are put together from text that is JSON already, most of it as it came: strings here hold the bytes of UTF-8,
// a character for each (latin1), so that nothing is parsed or encoded on its way.

/** A value as JSON. */
export function toRaw(value: unknown): string {
  return Buffer.from(encodeLine(value)).toString('latin1')
}

/** The members of an object as JSON, without its braces. */
export function toRawMembers(value: object): string {
  return toRaw(value).slice(1, -1)
}

export function fromRaw(raw: string): unknown {
  return JSON.parse(toBytes(raw).toString()) as unknown
}

export function toBytes(raw: string): Buffer {
  return Buffer.from(raw, 'latin1')
}

/** A text as it stands between the quotes of JSON. */
export function toTextBytes(text: string): Buffer {
  return Buffer.from(encodeLine(text).slice(1, -1))
}

/** The text between the quotes. */
export function fromRawText(raw: string): string {
  return fromRaw(`"${raw}"`) as string
}
