import type { ChunkHead, Frame } from '@millrace/core'
import { DONE, encodeError, encodeEvent, HEARTBEAT, TextFrame } from '@millrace/sse-core'
import type { Encoder } from '../dialect.ts'
import { toTextLogprobs } from './text-logprobs.ts'
import { toTextReason } from './text-reason.ts'

const NOTHING = Buffer.alloc(0)
/** Looks the same in JSON as it is, and nobody would say it. */
const PROBE = 'millrace-probe-9c2d71'

/**
 * Frames → chunks of text. What is no text of the answer, such as roles and reasoning, has no place in them.
 *
 * @param echoOf what stands before the answer in a choice
 */
export function createCompletionsEncoder(head: ChunkHead, echoOf: (index: number) => string): Encoder {
  const opening = { id: head.id, object: 'text_completion', created: head.created }
  const closing = { model: head.model, ...(head.includeUsage && { usage: null }) }
  /** What stands around the text in the events of each choice that has said something, as latin1. */
  const around: (readonly string[])[] = []

  function eventOf(index: number, text: string, logprobs: unknown, finish_reason: string | null): string {
    return encodeEvent({ ...opening, choices: [{ text, index, logprobs, finish_reason }], ...closing })
  }

  /** What a choice says before all else. */
  function echo(index: number): string {
    if (around[index] !== undefined) return ''
    around[index] = Buffer.from(eventOf(index, PROBE, null, null))
      .toString('latin1')
      .split(PROBE)
    return echoOf(index)
  }

  function encode(frame: Frame): Buffer {
    if (frame instanceof TextFrame) {
      if (frame.channel !== 'content') return NOTHING
      const surroundings = around[frame.choice]
      if (surroundings !== undefined) return Buffer.from(surroundings.join(frame.rawText), 'latin1')
    }
    const { choices, usage } = frame.chunk
    if (choices.length === 0 && usage != null) {
      return Buffer.from(encodeEvent({ ...opening, choices: [], model: head.model, usage }))
    }
    const events = choices.map(({ index, delta, logprobs, finish_reason: reason }) => {
      const text = echo(index) + (delta.content ?? '') + (delta.refusal ?? '')
      return text === '' && reason === null
        ? ''
        : eventOf(index, text, toTextLogprobs(logprobs), reason && toTextReason(reason))
    })
    return Buffer.from(events.join(''))
  }

  return {
    encode: frames => (frames.length === 1 ? encode(frames[0]!) : Buffer.concat(frames.map(encode))),
    heartbeat: () => HEARTBEAT,
    end: () => DONE,
    fail: encodeError,
  }
}
