import { isObject, type JsonObject, type Usage } from '@millrace/core'

/** A count as it should be: a non-negative integer; undefined where the value is no count at all. */
function toCount(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value > Number.MAX_SAFE_INTEGER) return undefined
  return Math.max(0, Math.trunc(value))
}

/**
 * An upstream's usage object as the dialect has it: counts clamped, a missing total filled in, cached tokens under
 * `prompt_tokens_details`, reasoning tokens inside `completion_tokens` (xAI leaves them out). Other members are kept.
 * Undefined where it holds no counts.
 */
function toUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined
  const { prompt_tokens, completion_tokens, total_tokens, input_tokens, output_tokens, cached_tokens, ...rest } = value
  const prompt = toCount(prompt_tokens ?? input_tokens)
  let completion = toCount(completion_tokens ?? output_tokens)
  if (prompt === undefined && completion === undefined) return undefined
  const total = toCount(total_tokens)
  const reasoning = isObject(rest['completion_tokens_details'])
    ? toCount(rest['completion_tokens_details']['reasoning_tokens'])
    : 0
  if (reasoning && total !== undefined && total - (prompt ?? 0) - (completion ?? 0) === reasoning) {
    completion = (completion ?? 0) + reasoning
  }
  const cached = toCount(cached_tokens ?? rest['prompt_cache_hit_tokens'])
  const isTold = cached === undefined || isObject(rest['prompt_tokens_details'])
  const sum = (prompt ?? 0) + (completion ?? 0)
  return {
    ...rest,
    ...(isTold ? undefined : { prompt_tokens_details: { cached_tokens: cached } }),
    prompt_tokens: prompt ?? 0,
    completion_tokens: completion ?? 0,
    total_tokens: total === undefined || total < sum ? sum : total,
  }
}

/** The usage of an event, wherever the upstream hid it: at the top, under `x_groq`, in the first choice, in llama.cpp's `timings`. */
export function usageOf(event: JsonObject): Usage | undefined {
  const { usage, x_groq: groq, choices, timings } = event
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined
  return (
    toUsage(usage) ??
    (isObject(groq) ? toUsage(groq['usage']) : undefined) ??
    (isObject(first) ? toUsage(first['usage']) : undefined) ??
    (isObject(timings)
      ? toUsage({ prompt_tokens: timings['prompt_n'], completion_tokens: timings['predicted_n'] })
      : undefined)
  )
}
