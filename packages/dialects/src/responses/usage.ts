import type { Usage } from '@millrace/core'

/** Token counts under the names of this dialect; clients want all of them to be there. */
export function toResponseUsage(usage: Usage): object {
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: {
      cached_tokens: countIn(usage['prompt_tokens_details'], 'cached_tokens'),
      cache_write_tokens: countIn(usage['prompt_tokens_details'], 'cache_write_tokens'),
    },
    output_tokens: usage.completion_tokens,
    output_tokens_details: { reasoning_tokens: countIn(usage['completion_tokens_details'], 'reasoning_tokens') },
    total_tokens: usage.total_tokens,
  }
}

function countIn(details: unknown, name: string): number {
  const count = (details as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  return typeof count === 'number' && count >= 0 ? Math.trunc(count) : 0
}
