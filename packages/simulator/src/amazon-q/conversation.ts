/** The members of a request that the simulator looks at; nothing of it has been checked yet. */
export interface ChatBody {
  readonly conversationState: ConversationState
  readonly profileArn?: string
}

export interface ConversationState {
  readonly conversationId?: string
  readonly chatTriggerType: string
  readonly history?: readonly Message[]
  readonly currentMessage: Message
}

export interface Message {
  readonly userInputMessage?: UserMessage
  readonly assistantResponseMessage?: AssistantMessage
}

interface UserMessage {
  readonly content: string
  readonly origin?: string
  readonly modelId?: string
  readonly images?: readonly Image[]
  readonly documents?: readonly object[]
  readonly userInputMessageContext?: {
    readonly toolResults?: readonly ToolResult[]
    readonly tools?: readonly Tool[]
  }
}

interface AssistantMessage {
  readonly content: string
  readonly messageId?: string
  readonly toolUses?: readonly ToolUse[]
}

export interface Image {
  readonly format: string
  readonly source: { readonly bytes: string }
}

export interface ToolUse {
  readonly toolUseId: string
  readonly name: string
  readonly input: object
}

export interface ToolResult {
  readonly toolUseId: string
  readonly status?: string
  readonly content: readonly { readonly text?: string; readonly json?: unknown }[]
}

export interface Tool {
  readonly toolSpecification?: ToolSpecification
}

export interface ToolSpecification {
  readonly name: string
  readonly description?: string
  readonly inputSchema: { readonly json: Schema }
}

export interface Schema {
  readonly type?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly [keyword: string]: unknown
}

/** All messages, the current one last. */
export function messagesOf({ history, currentMessage }: ConversationState): readonly Message[] {
  return [...(history ?? []), currentMessage]
}

export function usesOf(message: Message | undefined): readonly ToolUse[] {
  return message?.assistantResponseMessage?.toolUses ?? []
}

export function resultsOf(message: Message | undefined): readonly ToolResult[] {
  return message?.userInputMessage?.userInputMessageContext?.toolResults ?? []
}

/** The tools that a request declares, cache points left out. */
export function toolsOf({ currentMessage }: ConversationState): readonly ToolSpecification[] {
  const { tools = [] } = currentMessage.userInputMessage?.userInputMessageContext ?? {}
  return tools.flatMap(tool => tool.toolSpecification ?? [])
}

/** What was said in words. */
export function contentOf(message: Message | undefined): string {
  return message?.userInputMessage?.content ?? message?.assistantResponseMessage?.content ?? ''
}

/** A result as text. */
export function textOf({ content }: ToolResult): string {
  return content.map(part => part.text ?? JSON.stringify(part.json)).join('\n')
}

/** How many characters a conversation has, tools and results included. */
export function lengthOf(state: ConversationState): number {
  const texts = messagesOf(state).map(message => {
    const uses = usesOf(message).map(use => JSON.stringify(use.input))
    return [contentOf(message), ...resultsOf(message).map(textOf), ...uses].join('').length
  })
  return texts.reduce((sum, length) => sum + length, 0) + JSON.stringify(toolsOf(state)).length
}
