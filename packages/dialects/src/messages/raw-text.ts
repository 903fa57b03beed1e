import { encodeEvent } from '@millrace/sse-core'

/** Text as it stands in the JSON of a stream: what most frames come as anyway, and what can be sent on without a look at it. */
export type RawText = Buffer

const BEFORE = 'data: "'.length
const BEHIND = '"\n\n'.length

export function toRawText(text: string): RawText {
  return Buffer.from(encodeEvent(text).slice(BEFORE, -BEHIND))
}

export function fromRawText(pieces: readonly RawText[]): string {
  return JSON.parse(`"${Buffer.concat(pieces).toString()}"`) as string
}
