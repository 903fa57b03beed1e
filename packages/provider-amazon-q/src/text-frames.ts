import type { ChunkHead, Delta } from '@millrace/core'
import { encodeEvent, encodeLine, TextFrame, toChunk, type Channel } from '@millrace/sse-core'

/** Stands for the text, and looks the same in JSON as it is. A model may have the same name, but stands before it. */
const PROBE = 'millrace-text-4f1c9e'

/**
 * Makes the frames of one text, of each of which only a piece of that text is new: what stands around it is encoded once.
 * @param call the index of the tool call whose arguments the text is
 */
export function createTextFrames(head: ChunkHead, channel: Channel, call: number): (text: string) => TextFrame {
  const like = toChunk(head, { index: 0, delta: toTextDelta(channel, PROBE, call), finish_reason: null })
  const event = encodeEvent(like)
  const at = event.lastIndexOf(PROBE)
  const before = event.slice(0, at)
  const after = event.slice(at + PROBE.length)
  const start = Buffer.byteLength(before)
  const afterBytes = Buffer.byteLength(after)

  return text => {
    const bytes = Buffer.from(before + encodeLine(text).slice(1, -1) + after)
    return new TextFrame(bytes, start, bytes.length - afterBytes, channel, like)
  }
}

export function toTextDelta(channel: Channel, text: string, call: number): Delta {
  return channel === 'arguments'
    ? { tool_calls: [{ index: call, function: { arguments: text } }] }
    : { [channel]: text }
}
