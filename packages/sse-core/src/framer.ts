import type { ChunkHead, Delta, FinishReason, Frame, Usage } from '@millrace/core'
import { toChunk, toUsageChunk } from './encode.ts'

export interface Framer {
  /** The frames for what is new in the first choice; the first time the role goes before it. */
  delta(delta: Delta): Frame[]
  /** The frames with which the answer ends: the reason, and the usage where it is known, or estimated. */
  end(reason: FinishReason, usage?: Usage, isEstimate?: boolean): Frame[]
}

/** Deltas → frames, for providers that build their own; the role comes first and once, whatever is said first. */
export function createFramer(head: ChunkHead): Framer {
  let opened = false

  function delta(delta: Delta, finish_reason: FinishReason | null = null): Frame[] {
    const frame = { chunk: toChunk(head, { index: 0, delta, finish_reason }) }
    if (opened) return [frame]
    opened = true
    return [
      { chunk: toChunk(head, { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }) },
      frame,
    ]
  }

  return {
    delta: text => delta(text),
    end: (reason, usage, isEstimate = false) => [
      ...delta({}, reason),
      ...(usage === undefined ? [] : [{ chunk: toUsageChunk(head, usage), ...(isEstimate && { isEstimate }) }]),
    ],
  }
}
