import { GatewayError } from '@millrace/core'
import type { AssistantResponseMessage, HistoryMessage, ToolResult, UserInputMessage } from './conversation-state.ts'
import type { AssistantTurn, Call, Turn, UserTurn } from './turns.ts'

interface History {
  readonly history: readonly HistoryMessage[]
  readonly current: UserInputMessage
}

const MAX_CONTENT = 10_000_000
const MAX_IMAGES = 10

/** What stands where a message must say something and has nothing to say. Models may come to repeat such words. */
const FILLERS = {
  results: 'Tool results are attached.',
  images: 'Images are attached.',
  calls: 'Let me do that.',
  beginning: 'The conversation begins with your words.',
  goOn: 'Continue.',
}
const UNDERSTOOD = { assistantResponseMessage: { content: 'Understood.' } }
const SILENT_TURN: UserTurn = { role: 'user', at: 0, text: '', images: [] }
const CANCELLED = 'The call was cancelled: there is no result.'

/**
 * A conversation in which sides alternate, the user speaks first and last, and each call has its result. The system
 * prompt is what the user says first, and the assistant has understood it.
 * @throws {GatewayError} `context_length_exceeded`, `invalid_value` for more images than a turn may have
 */
export function toHistory(system: string, turns: readonly Turn[], origin: string): History {
  const history: HistoryMessage[] = []
  let current = toOpening(system, turns[0], origin)
  let calls: readonly Call[] = []
  for (const turn of turns) {
    if (turn.role === 'assistant') {
      if (current !== undefined) history.push({ userInputMessage: current })
      history.push({ assistantResponseMessage: toAssistantMessage(turn) })
      current = undefined
      calls = turn.calls
    } else {
      if (current !== undefined) history.push({ userInputMessage: current }, UNDERSTOOD)
      current = toUserMessage(turn, calls, origin)
    }
  }
  return { history, current: current ?? toUserMessage(SILENT_TURN, calls, origin) }
}

/** What the user says before the turns begin, where something is to be said. */
function toOpening(system: string, first: Turn | undefined, origin: string): UserInputMessage | undefined {
  if (system !== '') return { content: checked(system, 0), origin }
  return first?.role === 'assistant' ? { content: FILLERS.beginning, origin } : undefined
}

function toUserMessage({ at, text, images }: UserTurn, calls: readonly Call[], origin: string): UserInputMessage {
  if (images.length > MAX_IMAGES) {
    const message = `The turn has ${images.length} images, and Amazon Q takes ${MAX_IMAGES} in one: send fewer.`
    throw new GatewayError('invalid_value', message, { param: `messages[${at}].content` })
  }
  const filler = calls.length > 0 ? FILLERS.results : images.length > 0 ? FILLERS.images : FILLERS.goOn
  return {
    content: text === '' ? filler : checked(text, at),
    origin,
    ...(images.length > 0 ? { images } : undefined),
    ...(calls.length > 0 ? { userInputMessageContext: { toolResults: calls.map(toToolResult) } } : undefined),
  }
}

function toToolResult({ use: { toolUseId }, outputs }: Call): ToolResult {
  if (outputs.length === 0) return { toolUseId, status: 'error', content: [{ text: CANCELLED }] }
  return { toolUseId, status: 'success', content: outputs.map(text => ({ text })) }
}

function toAssistantMessage({ text, calls }: AssistantTurn): AssistantResponseMessage {
  const content = text === '' ? FILLERS.calls : text
  return calls.length > 0 ? { content, toolUses: calls.map(({ use }) => use) } : { content }
}

function checked(content: string, at: number): string {
  if (content.length <= MAX_CONTENT) return content
  const message = `This turn has ${content.length} characters, and Amazon Q takes ${MAX_CONTENT}: shorten it.`
  throw new GatewayError('context_length_exceeded', message, { param: `messages[${at}].content` })
}
