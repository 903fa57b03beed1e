import type { Usage } from '@millrace/core'

/** Tokens as this dialect counts them: what was read from a cache, or written to it, is no part of `input_tokens`. */
export interface MessageUsage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly output_tokens: number
}

/** About as much of a request makes one token, bytes. */
const BYTES_PER_TOKEN = 4

/** What can be said before the upstream has said anything. @param promptBytes the size of the request */
export function toEstimate(promptBytes: number): MessageUsage {
  return toUsage(Math.ceil(promptBytes / BYTES_PER_TOKEN), 0, 0, 0)
}

export function toMessageUsage({ prompt_tokens, completion_tokens, prompt_tokens_details }: Usage): MessageUsage {
  const details = (prompt_tokens_details ?? {}) as Readonly<Record<string, unknown>>
  const read = countOf(details['cached_tokens'])
  const written = countOf(details['cache_write_tokens'] ?? details['cache_creation_input_tokens'])
  return toUsage(Math.max(0, prompt_tokens - read - written), written, read, completion_tokens)
}

function toUsage(input: number, written: number, read: number, output: number): MessageUsage {
  return {
    input_tokens: input,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: output,
  }
}

function countOf(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.floor(value) : 0
}
