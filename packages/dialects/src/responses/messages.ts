import type { ChatRequest } from '@millrace/core'
import type { ToolCall, Turn } from './input-items.ts'

type Message = ChatRequest['messages'][number]
type Output = Extract<Turn, { kind: 'output' }>
type ModelTurn = Extract<Turn, { kind: 'model' }>

/**
 * Turns as chat has them: all that the model did in a row is one message, each call is followed at once by its one
 * output, and an output without a call is the user's words, since services refuse anything else.
 */
export function toMessages(turns: readonly Turn[]): Message[] {
  const messages: Message[] = []
  const outputs = Map.groupBy(
    turns.filter(turn => turn.kind === 'output'),
    ({ callId }) => callId,
  )
  const taken = new Set<Output>()
  let doing: ModelTurn[] = []

  function finishDoing(): void {
    const message = toAssistant(doing)
    doing = []
    if (message === undefined) return
    messages.push(message)
    const answers = (message.tool_calls as readonly ToolCall[] | undefined)?.map(({ id }) => {
      const output = outputs.get(id)?.find(candidate => !taken.has(candidate))
      if (output !== undefined) taken.add(output)
      messages.push({ role: 'tool', tool_call_id: id, content: output?.text || '(no output)' })
      return output
    })
    const images = (answers ?? []).flatMap(output => output?.images ?? [])
    if (images.length > 0) messages.push({ role: 'user', content: images })
  }

  for (const turn of turns) {
    if (turn.kind === 'model') {
      doing.push(turn)
      continue
    }
    finishDoing()
    if (turn.kind === 'message') messages.push({ role: turn.role, content: turn.content })
    else if (!taken.has(turn)) {
      taken.add(turn)
      const words = `The output of an earlier tool call:\n${turn.text}`
      const content = turn.images.length > 0 ? [{ type: 'text', text: words }, ...turn.images] : words
      messages.push({ role: 'user', content })
    }
  }
  finishDoing()
  return messages
}

/** Undefined where nothing was said or done. */
function toAssistant(turns: readonly ModelTurn[]): Message | undefined {
  const joined = (member: 'text' | 'refusal' | 'reasoning'): string =>
    turns
      .map(turn => turn[member])
      .filter(Boolean)
      .join('\n\n')
  const [text, refusal, reasoning] = [joined('text'), joined('refusal'), joined('reasoning')]
  const calls = turns.flatMap(({ call }) => call ?? [])
  if (text === '' && refusal === '' && calls.length === 0) return undefined
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(refusal !== '' && { refusal }),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}
