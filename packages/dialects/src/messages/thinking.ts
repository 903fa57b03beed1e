import type { MessagesRequest } from './request.ts'

type Thinking = Pick<MessagesRequest, 'thinking' | 'output_config'>

/** From so many tokens of thoughts on, an effort is at least this; the first that fits. */
const EFFORTS = [
  { from: 16_384, effort: 'high' },
  { from: 4096, effort: 'medium' },
  { from: 0, effort: 'low' },
]

/** How much the model is to think, in the word that chat has for it; undefined where the client leaves it to the model. */
export function toEffort({ thinking, output_config }: Thinking): string | undefined {
  if (thinking?.type === 'disabled') return 'none'
  const { budget_tokens: budget } = thinking ?? {}
  return output_config?.effort ?? (budget == null ? undefined : EFFORTS.find(({ from }) => budget >= from)!.effort)
}

/** Whether the client does not want to see thoughts, even if there are some. */
export function hidesThoughts({ thinking }: Thinking): boolean {
  return thinking?.type === 'disabled' || thinking?.display === 'omitted'
}
