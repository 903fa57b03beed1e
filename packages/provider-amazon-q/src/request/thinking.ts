import { GatewayError, isObject, type ChatRequest } from '@millrace/core'

const NONE = 'none'
/** OpenAI's names for how much a model thinks, and the service's. */
const EFFORTS: Readonly<Record<string, string>> = {
  [NONE]: NONE,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** What an answer tags the thoughts with that it then begins with, as ordinary text. */
export const THINKING_TAG = 'thinking'

/**
 * The words that make a model think before it answers, as the client asks for; undefined where it does not ask.
 * @throws {GatewayError} `invalid_value` for an effort of no known name
 */
export function toThinkingPrompt({ reasoning_effort, reasoning, thinking }: ChatRequest): string | undefined {
  if (reasoning_effort != null) return promptOfEffort(reasoning_effort, 'reasoning_effort')
  if (isObject(reasoning)) {
    if (reasoning['effort'] != null) return promptOfEffort(reasoning['effort'], 'reasoning.effort')
    return promptOfBudget(reasoning['max_tokens'])
  }
  return isObject(thinking) && thinking['type'] === 'enabled' ? promptOfBudget(thinking['budget_tokens']) : undefined
}

function promptOfEffort(effort: unknown, param: string): string | undefined {
  const known = typeof effort === 'string' && Object.hasOwn(EFFORTS, effort) ? EFFORTS[effort] : undefined
  if (known === undefined) {
    throw new GatewayError('invalid_value', `It must be one of ${Object.keys(EFFORTS).join(', ')}.`, { param })
  }
  if (known === NONE) return undefined
  return `<thinking_mode>adaptive</thinking_mode><thinking_effort>${known}</thinking_effort>`
}

function promptOfBudget(tokens: unknown): string | undefined {
  if (typeof tokens !== 'number' || !(tokens > 0)) return undefined
  return `<thinking_mode>enabled</thinking_mode><max_thinking_length>${Math.floor(tokens)}</max_thinking_length>`
}
