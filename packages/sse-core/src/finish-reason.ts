import type { FinishReason } from '@millrace/core'

/** Upstream spellings in lower case → ours (wire/openai.md §1.7). */
const SPELLINGS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ...(['tool_calls', 'tool_use', 'tool_call', 'function_call'] as const).map(word => [word, 'tool_calls'] as const),
  ...(['length', 'max_tokens', 'model_length', 'limit', 'model_context_window_exceeded'] as const).map(
    word => [word, 'length'] as const,
  ),
  ...(
    [
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
    ] as const
  ).map(word => [word, 'content_filter'] as const),
])

/** Reasons with which an upstream says that it failed. */
const FAILED: ReadonlySet<string> = new Set([
  'error',
  'error_finish',
  'insufficient_system_resource',
  'abort',
  'load',
  'network_error',
])

/** The reason of the closed set that an upstream's own word stands for; `error` where it stands for a failure. */
export function toFinishReason(word: string): FinishReason | 'error' {
  const spelling = word.toLowerCase()
  if (FAILED.has(spelling)) return 'error'
  return SPELLINGS.get(spelling) ?? 'stop'
}
