import type { FinishReason } from '@millrace/core'

/** What upstreams say, in lower case. Whatever is not listed stands for a normal end. */
const SPELLINGS = {
  tool_calls: ['tool_calls', 'tool_use', 'tool_call', 'function_call'],
  length: ['length', 'max_tokens', 'model_length', 'limit', 'model_context_window_exceeded'],
  content_filter: [
    'content_filter',
    'content_filtered',
    'safety',
    'blocklist',
    'prohibited_content',
    'spii',
    'image_safety',
    'guardrail_intervened',
    'refusal',
    'sensitive',
  ],
  error: ['error', 'error_finish', 'insufficient_system_resource', 'abort', 'load', 'network_error'],
} as const satisfies Partial<Record<FinishReason | 'error', readonly string[]>>

const REASONS: ReadonlyMap<string, FinishReason | 'error'> = new Map(
  (Object.keys(SPELLINGS) as (keyof typeof SPELLINGS)[]).flatMap(reason =>
    SPELLINGS[reason].map(word => [word, reason] as const),
  ),
)

/** The reason of the closed set that an upstream's own word stands for; `error` where it stands for a failure. */
export function toFinishReason(word: string): FinishReason | 'error' {
  return REASONS.get(word.toLowerCase()) ?? 'stop'
}
