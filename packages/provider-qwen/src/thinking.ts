import { GatewayError, isObject, type ChatRequest } from '@millrace/core'
import { limitsOf, thinkingOf } from './model-table.ts'

/** How much a client wants a model to think: not at all, or within so many tokens; `max`: as many as it may. */
type Wish = false | { readonly budget: number | 'max' | undefined }

const EFFORTS: Readonly<Record<string, Wish>> = {
  none: false,
  minimal: false,
  low: { budget: 1024 },
  medium: { budget: 8192 },
  high: { budget: undefined },
  xhigh: { budget: 'max' },
  max: { budget: 'max' },
}

/**
 * What other dialects say of thinking (`reasoning_effort`, `reasoning`, `thinking`) as Qwen's own members. Those win where
 * the client gives them. A model that never thinks is told nothing. Where the client says nothing, but wants what thinking
 * rules out, a model that might think is told not to. Models of other makers get what came.
 * @throws {GatewayError} `unsupported_parameter`: an effort of no known name, or a model that cannot be kept from thinking
 */
export function toThinking(request: ChatRequest, model: string): Readonly<Record<string, unknown>> {
  const thinking = thinkingOf(model)
  if (thinking === undefined) return {}
  const foreign = { reasoning_effort: undefined, reasoning: undefined, thinking: undefined }
  const [param, wish] = wishOf(request) ?? []
  const { enable_thinking, thinking_budget } = request
  if (thinking === 'never' || enable_thinking != null || thinking_budget != null) return foreign
  if (wish === undefined) {
    return thinking === 'switchable' && excludesThinking(request) ? { ...foreign, enable_thinking: false } : foreign
  }
  if (thinking === 'always') {
    if (wish === false) throw unsupported(String(param), 'This model always thinks: it cannot be told not to.')
    return { ...foreign, thinking_budget: budgetOf(wish.budget, model) }
  }
  if (wish === false) return { ...foreign, enable_thinking: false }
  return { ...foreign, enable_thinking: true, thinking_budget: budgetOf(wish.budget, model) }
}

/** Whether a request has what Qwen refuses of a model that thinks: a tool that must be called, or the older JSON mode. */
function excludesThinking({ tool_choice, response_format, tools }: ChatRequest): boolean {
  const isForced = tool_choice === 'required' || isObject(tool_choice)
  return (
    (isForced && tools != null && tools.length > 0) ||
    (isObject(response_format) && response_format['type'] === 'json_object')
  )
}

/** Whether a model of Qwen's own is sure to think, asked with these members. */
export function isThinking({ enable_thinking }: Readonly<Record<string, unknown>>, model: string): boolean {
  const thinking = thinkingOf(model)
  return thinking === 'always' || (thinking === 'switchable' && enable_thinking === true)
}

/** What the client says, and the member in which it does; the first of these that says something. */
function wishOf({
  reasoning_effort,
  reasoning,
  thinking,
}: ChatRequest): readonly [param: string, wish: Wish] | undefined {
  if (reasoning_effort != null) return ['reasoning_effort', wishOfEffort('reasoning_effort', reasoning_effort)]
  if (isObject(reasoning)) {
    const { effort, max_tokens, enabled } = reasoning
    if (effort != null) return ['reasoning.effort', wishOfEffort('reasoning.effort', effort)]
    if (typeof max_tokens === 'number') return ['reasoning.max_tokens', { budget: max_tokens }]
    if (typeof enabled === 'boolean') return ['reasoning.enabled', enabled && { budget: undefined }]
  }
  if (isObject(thinking)) {
    const { type, budget_tokens } = thinking
    if (type === 'disabled') return ['thinking', false]
    return ['thinking', { budget: typeof budget_tokens === 'number' ? budget_tokens : undefined }]
  }
  return undefined
}

function wishOfEffort(param: string, effort: unknown): Wish {
  const wish = typeof effort === 'string' && Object.hasOwn(EFFORTS, effort) ? EFFORTS[effort] : undefined
  if (wish === undefined) throw unsupported(param, `It must be one of ${Object.keys(EFFORTS).join(', ')}.`)
  return wish
}

function budgetOf(budget: number | 'max' | undefined, model: string): number | undefined {
  return budget === 'max' ? limitsOf(model)?.thinkingBudget : budget
}

function unsupported(param: string, message: string): GatewayError {
  return new GatewayError('unsupported_parameter', message, { param })
}
