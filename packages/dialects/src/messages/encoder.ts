import type { ChunkHead } from '@millrace/core'
import type { Encoder } from '../dialect.ts'
import { createBlocks } from './blocks.ts'
import { toErrorEvent } from './errors.ts'
import { toMessage, toStopReason } from './message.ts'
import { encodeNamed, PING } from './named-event.ts'
import { toEstimate, toMessageUsage } from './usage.ts'

/** How a block of each type begins and how it goes on. */
const SHAPES = {
  text: { empty: { text: '' }, delta: 'text_delta', member: 'text' },
  // Only Anthropic's own servers can sign.
  thinking: { empty: { thinking: '', signature: '' }, delta: 'thinking_delta', member: 'thinking' },
  tool_use: { empty: { input: {} }, delta: 'input_json_delta', member: 'partial_json' },
} as const

const STOP = encodeNamed({ type: 'message_stop' })
/** What stands behind the text of a delta. */
const AFTER_TEXT = Buffer.from('"}}\n\n')

/**
 * Frames → the events of a message.
 *
 * @param promptBytes the size of the request
 */
export function createMessagesEncoder(head: ChunkHead, promptBytes: number, hidesThoughts: boolean): Encoder {
  let started = false
  let index = 0
  /** What stands before the text in the deltas of the open block. */
  let beforeText: Buffer = AFTER_TEXT
  /** What has not gone out yet. */
  let pending: Buffer[] = []

  const blocks = createBlocks(
    {
      open(opening) {
        const { empty, delta, member } = SHAPES[opening.type]
        pending.push(encodeNamed({ type: 'content_block_start', index, content_block: { ...opening, ...empty } }))
        const silent = encodeNamed({ type: 'content_block_delta', index, delta: { type: delta, [member]: '' } })
        beforeText = silent.subarray(0, -AFTER_TEXT.length)
      },
      append(raw) {
        pending.push(beforeText, raw, AFTER_TEXT)
      },
      close() {
        pending.push(encodeNamed({ type: 'content_block_stop', index }))
        index++
      },
    },
    hidesThoughts,
  )

  function start(): void {
    if (started) return
    started = true
    const message = toMessage(head, [], null, toEstimate(promptBytes))
    pending.push(encodeNamed({ type: 'message_start', message }))
  }

  function take(): Buffer {
    const bytes = Buffer.concat(pending)
    pending = []
    return bytes
  }

  return {
    encode(frames) {
      start()
      for (const frame of frames) blocks.push(frame)
      return take()
    },
    heartbeat() {
      start()
      pending.push(PING)
      return take()
    },
    end() {
      start()
      const usage = blocks.usage()
      const delta = { stop_reason: toStopReason(blocks.reason()), stop_sequence: null }
      const last = { delta, usage: usage === undefined ? toEstimate(promptBytes) : toMessageUsage(usage) }
      pending.push(encodeNamed({ type: 'message_delta', ...last }), STOP)
      return take()
    },
    fail(failure) {
      pending.push(encodeNamed(toErrorEvent(failure)))
      return take()
    },
  }
}
