import { createPause } from './pause.ts'
import { toHistory } from './history.ts'
import { readInstructions, toSystemPrompt } from './system-prompt.ts'
import { toThinkingPrompt } from './thinking.ts'
import { toJson } from './to-json.ts'
import { createToolNames } from './tool-names.ts'
import { toAbsentTools, toTools } from './tools.ts'
import { createTurns } from './turns.ts'
import { refuseUnsupported } from './unsupported.ts'
import type { ChatRequest } from '@millrace/core'
import type { ConversationState, Tool, UserInputMessage } from './conversation-state.ts'

export interface ConversationOptions {
  readonly conversationId: string
  /** Undefined leaves the choice to the service. */
  readonly modelId: string | undefined
  readonly origin: string
  readonly profileArn: string | undefined
  /** Where the service expects the mode: in the body (`json`), or in a header, which the caller then sends (`rest`). */
  readonly flavour: 'json' | 'rest'
  /** Whether the schemas of tools have only what all models take: with them, answers may be less exact. */
  readonly hasBareSchemas: boolean
  readonly signal: AbortSignal
}

export interface Conversation {
  /** JSON. */
  readonly body: Buffer
  /** Names of tools as sent → as the client knows them, where they differ. */
  readonly toolNames: ReadonlyMap<string, string>
}

const AGENT_MODE = 'vibe'
const NO_CALLS = 'Do not call any tool now: answer in words.'

/**
 * The request as the service takes conversations. Large ones are mapped in pieces: others have their turn meanwhile.
 * @throws {GatewayError} `unsupported_parameter`, `invalid_value`, `missing_required_parameter` or
 * `context_length_exceeded`, each with `param`, for what cannot be mapped; once `signal` fires, `aborted` or its own reason
 */
export async function toConversation(request: ChatRequest, options: ConversationOptions): Promise<Conversation> {
  const { conversationId, modelId, origin, profileArn, flavour, hasBareSchemas, signal } = options
  refuseUnsupported(request)
  const pause = createPause(signal)
  const names = createToolNames()
  const mayCall = request['tool_choice'] !== 'none'
  const offered = await toTools(mayCall ? (request.tools ?? []) : [], { names, pause, hasBareSchemas })

  const instructions = readInstructions(request.messages)
  const turns = createTurns(names)
  for (const [at, message] of request.messages.entries()) {
    if (at >= instructions.length) turns.add(message, at)
    const due = pause()
    if (due !== undefined) await due
  }
  const absent = toAbsentTools(offered.specifications, names)
  const system = toSystemPrompt([
    toThinkingPrompt(request),
    ...instructions,
    ...offered.instructions,
    mayCall || absent.length === 0 ? undefined : NO_CALLS,
  ])
  const { history, current } = toHistory(system, turns.all, origin)
  const conversationState: ConversationState = {
    conversationId,
    chatTriggerType: 'MANUAL',
    ...(history.length > 0 ? { history } : undefined),
    currentMessage: { userInputMessage: toCurrent(current, modelId, [...offered.specifications, ...absent]) },
  }
  const body = { conversationState, profileArn, agentMode: flavour === 'json' ? AGENT_MODE : undefined }
  return { body: await toJson(body, pause), toolNames: names.changed() }
}

/** What only the last message of a conversation carries: the model, and all tools. */
function toCurrent(message: UserInputMessage, modelId: string | undefined, tools: readonly Tool[]): UserInputMessage {
  const { content, origin, userInputMessageContext: context, ...images } = message
  const all = tools.length > 0 ? { ...context, tools } : context
  return {
    content,
    origin,
    ...(modelId === undefined ? undefined : { modelId }),
    ...images,
    ...(all === undefined ? undefined : { userInputMessageContext: all }),
  }
}
