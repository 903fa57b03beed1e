import type { JsonObject } from '@millrace/core'

// The members stand in the order in which the service's own clients send them. It takes no null: absent ones are left out,
// and so are empty lists.

export interface Image {
  readonly format: 'gif' | 'jpeg' | 'png' | 'webp'
  /** Base64. */
  readonly source: { readonly bytes: string }
}

export interface ToolResult {
  readonly toolUseId: string
  readonly status: 'success' | 'error'
  readonly content: readonly { readonly text: string }[]
}

export interface Tool {
  readonly toolSpecification: {
    readonly name: string
    readonly description: string
    readonly inputSchema: { readonly json: JsonObject }
  }
}

export interface ToolUse {
  readonly toolUseId: string
  readonly name: string
  readonly input: JsonObject
}

export interface UserInputMessage {
  readonly content: string
  readonly origin: string
  readonly modelId?: string
  readonly images?: readonly Image[]
  readonly userInputMessageContext?: {
    readonly toolResults?: readonly ToolResult[]
    readonly tools?: readonly Tool[]
  }
}

export interface AssistantResponseMessage {
  readonly content: string
  readonly toolUses?: readonly ToolUse[]
}

export type HistoryMessage =
  | { readonly userInputMessage: UserInputMessage }
  | { readonly assistantResponseMessage: AssistantResponseMessage }

export interface ConversationState {
  readonly conversationId: string
  readonly chatTriggerType: 'MANUAL'
  readonly history?: readonly HistoryMessage[]
  readonly currentMessage: { readonly userInputMessage: UserInputMessage }
}
