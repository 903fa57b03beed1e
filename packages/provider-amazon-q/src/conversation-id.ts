import { hash } from 'node:crypto'

/** A UUID of version 4 for a conversation, the same whenever the same text stands for it. */
export function toConversationId(text: string): string {
  const digits = hash('sha256', text, 'hex')
  const variant = '89ab'[Number.parseInt(digits[16]!, 16) % 4]!
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-')
}
