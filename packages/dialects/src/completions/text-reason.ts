import type { FinishReason } from '@millrace/core'

/** Why text ends: a model that calls a tool which nobody offered has said all it has to say. */
export function toTextReason(reason: FinishReason): 'stop' | 'length' | 'content_filter' {
  return reason === 'length' || reason === 'content_filter' ? reason : 'stop'
}
