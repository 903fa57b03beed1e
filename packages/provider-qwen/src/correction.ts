import type { ChatRequest, Edits } from '@millrace/core'
import { QwenError } from './failures.ts'

const RANGE = /Range of (max_tokens|thinking_budget) should be \[(\d+), ?(\d+)\]/i

/** What to ask for instead, where a number of tokens was out of the range that the refusal names. */
export function correctionOf(error: unknown, { max_tokens, max_completion_tokens }: ChatRequest): Edits | undefined {
  if (!(error instanceof QwenError) || error.code !== 'upstream_rejected') return undefined
  const [, name, , most] = RANGE.exec(error.message) ?? []
  if (name === undefined) return undefined
  // A limit of nobody's asking is left to the upstream; a budget may be one of ours.
  if (name === 'max_tokens' && max_tokens == null && max_completion_tokens == null) return undefined
  return { [name]: Number(most) }
}
