import type { ChatRequest } from '@millrace/core'
import { isText, textOf, textPart, toContent, toInstructions, toPart, toParts, type Part } from './content.ts'
import { isKnownBlock, type Block, type CountRequest, type KnownBlock } from './request.ts'

type ChatMessage = ChatRequest['messages'][number]
type ToolResult = Extract<KnownBlock, { type: 'tool_result' }>

/** The conversation as chat has it, instructions first. @throws {GatewayError} `unsupported_parameter` */
export function toChatMessages({ system, messages }: CountRequest): ChatMessage[] {
  const chat = messages.flatMap(({ role, content }, index): ChatMessage[] => {
    const at = `messages[${index}].content`
    if (role === 'system') return instructionsOf(content)
    return role === 'assistant' ? fromAssistant(content) : fromUser(content, at)
  })
  return [...instructionsOf(system ?? ''), ...chat]
}

function instructionsOf(content: string | readonly Block[]): ChatMessage[] {
  const text = toInstructions(content)
  return text === '' ? [] : [{ role: 'system', content: text }]
}

/** Results first, as chat has them right behind the calls; what they hold besides text comes with the user's own words. */
function fromUser(content: string | readonly Block[], at: string): ChatMessage[] {
  const results: ChatMessage[] = []
  const parts: Part[] = []
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  for (const [index, block] of blocks.entries()) {
    if (!isKnownBlock(block) || block.type !== 'tool_result') continue
    const given = toParts(block.content ?? '', `${at}[${index}].content`)
    results.push({ role: 'tool', tool_call_id: block.tool_use_id, content: toResultText(block, textOf(given)) })
    const media = given.filter(part => !isText(part))
    if (media.length > 0) parts.push(textPart(`The tool call ${block.tool_use_id} also gave this:`), ...media)
  }
  for (const [index, block] of blocks.entries()) {
    if (block.type !== 'tool_result') parts.push(...toPart(block, `${at}[${index}]`))
  }
  return parts.length === 0 ? results : [...results, { role: 'user', content: toContent(parts) }]
}

function toResultText({ is_error: isError }: ToolResult, text: string): string {
  return isError === true ? `Error: ${text}` : text
}

/** Signatures, and what was done on the servers of whoever answered before, mean nothing to others: they are left out. */
function fromAssistant(content: string | readonly Block[]): ChatMessage[] {
  if (typeof content === 'string') return content === '' ? [] : [{ role: 'assistant', content }]
  const blocks = content.filter(isKnownBlock)
  const texts = blocks.flatMap(block => (block.type === 'text' && block.text !== '' ? [textPart(block.text)] : []))
  const thoughts = blocks.flatMap(block => (block.type === 'thinking' && block.thinking !== '' ? block.thinking : []))
  const calls = blocks.flatMap(block => (block.type === 'tool_use' ? [toCall(block)] : []))
  if (texts.length + thoughts.length + calls.length === 0) return []
  return [
    {
      role: 'assistant',
      content: texts.length === 0 && calls.length > 0 ? null : textOf(texts),
      ...(thoughts.length > 0 && { reasoning_content: thoughts.join('\n') }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  ]
}

function toCall({ id, name, input }: Extract<KnownBlock, { type: 'tool_use' }>): {
  id: string
  [member: string]: unknown
} {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}
