import { isObject, type JsonObject, type Usage } from '@millrace/core'
import { contextWindowOf } from './models.ts'

/** About as much text makes one token, bytes of UTF-8. */
const BYTES_PER_TOKEN = 4
/** No answer has as many tokens: what is more is no count. */
const MAX_COUNT = 1e12

/** What is known of an answer where the upstream does not count its tokens. */
export interface Measured {
  /** How much of the model's window is in use, percent. */
  readonly contextPercentage: number | undefined
  /** The model that answered, as far as that is known. */
  readonly model: string
  /** The size of the answer. */
  readonly textBytes: number
}

/** The counts of a `metadataEvent`; undefined where it has none. */
export function toUsage(counts: unknown): Usage | undefined {
  if (!isObject(counts)) return undefined
  const { uncachedInputTokens, cacheReadInputTokens, cacheWriteInputTokens, outputTokens, totalTokens } = counts
  if (![uncachedInputTokens, cacheReadInputTokens, outputTokens].some(isCount)) return undefined
  const cached = toCount(cacheReadInputTokens)
  const prompt_tokens = toCount(uncachedInputTokens) + cached + toCount(cacheWriteInputTokens)
  const completion_tokens = toCount(outputTokens)
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: Math.max(prompt_tokens + completion_tokens, toCount(totalTokens)),
    ...(cacheReadInputTokens == null ? undefined : { prompt_tokens_details: { cached_tokens: cached } }),
  }
}

/**
 * The usage as the share of the window tells it, of which the answer is taken to have a token for each four bytes; undefined
 * where the share, or the window, is not known, or the share is too small to tell of a prompt.
 */
export function estimateUsage({ contextPercentage, model, textBytes }: Measured): Usage | undefined {
  const window = contextWindowOf(model)
  if (contextPercentage === undefined || window === undefined) return undefined
  const completion_tokens = Math.ceil(textBytes / BYTES_PER_TOKEN)
  const total_tokens = Math.round((contextPercentage / 100) * window)
  if (total_tokens <= completion_tokens) return undefined
  return { prompt_tokens: total_tokens - completion_tokens, completion_tokens, total_tokens }
}

/** How much of the window is in use, percent, as an event tells it. */
export function contextPercentageOf({ contextUsagePercentage: percentage }: JsonObject): number | undefined {
  if (typeof percentage !== 'number' || !Number.isFinite(percentage)) return undefined
  return Math.min(100, Math.max(0, percentage))
}

/** A count as it should be: a non-negative integer. */
function toCount(value: unknown): number {
  return isCount(value) ? Math.max(0, Math.trunc(value)) : 0
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_COUNT
}
