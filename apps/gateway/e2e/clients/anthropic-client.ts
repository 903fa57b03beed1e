import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk'
import type { RunningGateway } from '../start-gateway.ts'
import { KEY } from './gateway-with-simulator.ts'

/** The official SDK as a user of the gateway has it, but that it asks only once unless told otherwise. */
export function anthropicClient({ origin }: RunningGateway, options: ClientOptions = {}): Anthropic {
  return new Anthropic({ baseURL: origin, apiKey: KEY, maxRetries: 0, ...options })
}

/** What every request has. */
export const ASKED = { max_tokens: 1024, messages: [{ role: 'user' as const, content: 'Does the mill run?' }] }

/** A tool that models may use. */
export const WEATHER: Anthropic.Tool = {
  name: 'get_weather',
  description: 'The weather in a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } } },
}

/** The text of a message. */
export function textOf({ content }: Anthropic.Message): string {
  return content.map(block => (block.type === 'text' ? block.text : '')).join('')
}
