import OpenAI, { type ClientOptions } from 'openai'
import type { RunningGateway } from '../start-gateway.ts'
import { KEY } from './gateway-with-simulator.ts'

/** The official SDK as a user of the gateway has it, but that it asks only once unless told otherwise. */
export function openaiClient({ baseUrl }: RunningGateway, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: baseUrl, apiKey: KEY, maxRetries: 0, ...options })
}

export const MESSAGES = [{ role: 'user' as const, content: 'Does the mill run?' }]

/** A function that models may call. */
export const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } } },
  },
} as const

/** The text of one choice. */
export function contentOf(chunks: readonly OpenAI.Chat.ChatCompletionChunk[], index = 0): string {
  const choices = chunks.flatMap(chunk => chunk.choices.filter(choice => choice.index === index))
  return choices.map(({ delta }) => delta.content ?? '').join('')
}
