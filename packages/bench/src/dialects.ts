import type { Conversation } from './prompts.ts'

/** A client dialect, as far as it matters to the measurement. */
export interface BenchDialect {
  readonly path: string
  toBody(conversation: Conversation): Readonly<Record<string, unknown>>
  /** How the events begin that carry the text of the answer. */
  readonly textEvent: string
  /** How the last event begins. */
  readonly lastEvent: string
}

export type DialectName = 'chat' | 'responses' | 'messages'

export const DIALECTS: Readonly<Record<DialectName, BenchDialect>> = {
  chat: {
    path: '/v1/chat/completions',
    toBody: ({ model, stream, system, messages }) => ({
      max_tokens: 32_000,
      ...(stream && { stream, stream_options: { include_usage: true } }),
      model,
      temperature: 0.2,
      messages: [{ role: 'system', content: system }, ...messages],
    }),
    textEvent: 'data: ',
    lastEvent: 'data: [DONE]',
  },
  responses: {
    path: '/v1/responses',
    toBody: ({ model, stream, system, messages }) => ({
      stream,
      model,
      temperature: 0.2,
      instructions: system,
      input: messages,
      store: false,
    }),
    textEvent: 'event: response.output_text.delta',
    lastEvent: 'event: response.completed',
  },
  messages: {
    path: '/v1/messages',
    toBody: ({ model, stream, system, messages }) => ({
      max_tokens: 32_000,
      stream,
      model,
      temperature: 0.2,
      system,
      messages,
    }),
    textEvent: 'event: content_block_delta',
    lastEvent: 'event: message_stop',
  },
}
