import type { ChatRequest } from '@millrace/core'
import { countTokens } from './count-tokens.ts'

/** What the marks around each message come to. */
const TOKENS_PER_MESSAGE = 4
/** What a picture, or another part that is no text, comes to, whatever its size. */
const TOKENS_PER_PART = 1000

/** How many tokens a request gives the model to read, as an estimate: messages, tool calls and the tools on offer. */
export async function countRequestTokens(request: ChatRequest): Promise<number> {
  const texts: string[] = []
  let others = 0
  for (const { content, tool_calls: calls, reasoning_content: reasoning, name } of request.messages) {
    for (const text of [content, reasoning, name]) if (typeof text === 'string') texts.push(text)
    for (const part of Array.isArray(content) ? content : []) {
      if (typeof part['text'] === 'string') texts.push(part['text'])
      else others++
    }
    if (calls != null) texts.push(JSON.stringify(calls))
  }
  if (request.tools != null) texts.push(JSON.stringify(request.tools))
  return (await countTokens(texts)) + request.messages.length * TOKENS_PER_MESSAGE + others * TOKENS_PER_PART
}
