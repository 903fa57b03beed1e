import type { ChatRequest } from '@millrace/core'

export type Message = ChatRequest['messages'][number]
export type Part = Exclude<NonNullable<Message['content']>, string>[number]

/** Whether a part is text with nothing else about it. */
function isPlainText(part: Part): part is Part & { readonly text: string } {
  if (part.type !== 'text' || typeof part['text'] !== 'string') return false
  for (const name in part) if (name !== 'type' && name !== 'text') return false
  return true
}

/**
 * Content as one text where it is nothing else: some models refuse lists. A list with media, or with a mark for the cache,
 * stays a list.
 */
export function toTextContent(content: Message['content']): Message['content'] {
  if (!Array.isArray(content) || content.length === 0 || !content.every(isPlainText)) return content
  return content.map(part => part.text).join('\n')
}

/** Content as a list of parts. */
export function partsOf(content: Message['content']): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return content ?? []
}
