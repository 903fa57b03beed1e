import type { ChunkChoice, Frame } from '@millrace/core'

/**
 * A frame as frames that each hold one choice and in it one thing: reasoning, content, or all else, in this order.
 * Nearly every frame is like that already and comes back as it is.
 */
export function partsOf(frame: Frame): readonly Frame[] {
  // Bytes exist only for one text of one choice.
  if (frame.bytes !== undefined) return [frame]
  const { choices } = frame.chunk
  if (choices.length === 0 || (choices.length === 1 && !isMixed(choices[0]!))) return [frame]
  return choices.flatMap(choice => (isMixed(choice) ? split(choice) : choice)).map(choice => withChoice(frame, choice))
}

/** The text of a frame's one choice where it says nothing but content, maybe empty; of other frames undefined. */
export function contentOf(frame: Frame): string | undefined {
  const [choice] = frame.chunk.choices
  return choice === undefined || hasMore(choice) ? undefined : (choice.delta.content ?? '')
}

/** The same frame with another choice in it. */
export function withChoice(frame: Frame, choice: ChunkChoice): Frame {
  return { chunk: { ...frame.chunk, choices: [choice] } }
}

function split({ index, delta, finish_reason, logprobs }: ChunkChoice): ChunkChoice[] {
  const { role, reasoning_content, content, ...rest } = delta
  const opening = role === undefined ? undefined : { role }
  const text = { ...(logprobs === undefined ? undefined : { logprobs }), finish_reason: null }
  const parts: ChunkChoice[] = []
  if (reasoning_content) parts.push({ index, delta: { ...opening, reasoning_content }, finish_reason: null })
  parts.push({ index, delta: { ...(parts.length === 0 ? opening : undefined), content: content ?? '' }, ...text })
  if (finish_reason !== null || Object.keys(rest).length > 0) parts.push({ index, delta: rest, finish_reason })
  return parts
}

function isMixed(choice: ChunkChoice): boolean {
  return Boolean(choice.delta.content) && hasMore(choice)
}

/** Whether a choice says anything besides its role and its content. */
function hasMore({ delta, finish_reason }: ChunkChoice): boolean {
  if (finish_reason !== null) return true
  for (const name in delta) if (name !== 'role' && name !== 'content') return true
  return false
}
