import { mapChanged } from './json-schema.ts'
import type { Message } from './content.ts'

/** How many marks for the prompt cache a request may have, in messages and tools. */
export const MAX_CACHE_MARKS = 4

/** Whether something has a mark. */
export function isMarked(item: Readonly<Record<string, unknown>>): boolean {
  return item['cache_control'] != null
}

/** The same without its mark. */
export function withoutMark<Item extends object>(item: Item): Item {
  return { ...item, cache_control: undefined }
}

/**
 * The messages with at most `max` marks: the first stays, which mostly is that of the system message, and the last, which
 * cover most of the conversation. The same list where there were no more.
 */
export function limitCacheMarks(messages: readonly Message[], max: number): readonly Message[] {
  const count = messages.reduce(
    (sum, { content }) => sum + (Array.isArray(content) ? content.filter(isMarked).length : 0),
    0,
  )
  if (count <= max) return messages
  let seen = 0
  return mapChanged(messages, message => {
    if (!Array.isArray(message.content)) return message
    const content = mapChanged(message.content, part => {
      if (!isMarked(part)) return part
      seen++
      return seen === 1 || seen > count - (max - 1) ? part : withoutMark(part)
    })
    return content === message.content ? message : { ...message, content: [...content] }
  })
}
