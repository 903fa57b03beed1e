import type { Options } from '../options.ts'
import { contentOf, messagesOf, resultsOf } from './conversation.ts'
import type { ConversationState, Message, ToolResult, ToolSpecification } from './conversation.ts'
import { hasDirective, stepsOf } from './directives.ts'
import type { Step } from './directives.ts'
import type { Flavour } from './error-answer.ts'
import type { AmazonQModel } from './models.ts'

/** What a chat request asks for, as far as answers depend on it. */
export interface AmazonQAsk {
  readonly flavour: Flavour
  readonly options: Options
  readonly model: AmazonQModel
  readonly conversationId: string
  readonly state: ConversationState
  /** The tools that the request declares. */
  readonly tools: readonly ToolSpecification[]
  /** The results that the current message brings. */
  readonly results: readonly ToolResult[]
  /** Text of the user message that the conversation is about now: the last one that brings more than results. */
  readonly prompt: string
  /** What the directives of a user message say for this turn. */
  readonly step: Step | undefined
  /** Whether the request wants the model to think: in tags, in events of its own, or not. */
  readonly thinking: 'tags' | 'events' | 'none'
}

/** Text of the last user message that does not only bring results of tools. */
export function promptOf(state: ConversationState): string {
  const users = usersOf(state)
  const said = users.findLast(message => resultsOf(message).length === 0 || /\[simulate:/.test(contentOf(message)))
  return contentOf(said ?? users.at(-1))
}

/** The step of the last directives whose turn it is, counting the user messages since. */
export function stepOf(state: ConversationState): Step | undefined {
  const users = usersOf(state)
  const at = users.findLastIndex(message => hasDirective(contentOf(message)))
  return at === -1 ? undefined : stepsOf(contentOf(users[at]))[users.length - 1 - at]
}

function usersOf(state: ConversationState): readonly Message[] {
  return messagesOf(state).filter(message => message.userInputMessage !== undefined)
}
