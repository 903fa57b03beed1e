import { EventStreamCodec } from '@smithy/eventstream-codec'
import { askSimulator } from '../ask-simulator.ts'
import type { AskOptions, Reply } from '../ask-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import type { Message, Tool, ToolResult } from './conversation.ts'
import type { Flavour } from './error-answer.ts'

export const TOKEN = 'aoa-test-1'
export const CONVERSATION_ID = '5b0e2f5c-3a7e-4d0e-9a57-0d6f6c2a9e11'

export interface AmazonQAskOptions extends Pick<AskOptions, 'headers' | 'signal'> {
  readonly flavour?: Flavour
  readonly token?: string
  readonly content?: string
  /** Members of the current user message. */
  readonly message?: object
  readonly tools?: readonly Tool[]
  readonly results?: readonly ToolResult[]
  readonly history?: readonly Message[]
  /** Members of the conversation, and of the body. */
  readonly state?: object
  readonly members?: object
}

/** Asks for an answer, with JSON 1.0 unless another flavour is named, on a connection of its own. */
export function askAmazonQ(
  simulator: AmazonQSimulator,
  modelId: string,
  {
    flavour = 'json',
    token = TOKEN,
    content = 'Does the mill run?',
    message = {},
    tools,
    results,
    history,
    state = {},
    members = {},
    headers = {},
    ...rest
  }: AmazonQAskOptions = {},
): Promise<Reply> {
  const userInputMessageContext =
    tools === undefined && results === undefined ? undefined : { tools, toolResults: results }
  const userInputMessage = {
    content,
    origin: 'KIRO_CLI',
    modelId: modelId || undefined,
    userInputMessageContext,
    ...message,
  }
  const conversationState = {
    conversationId: CONVERSATION_ID,
    chatTriggerType: 'MANUAL',
    history,
    currentMessage: { userInputMessage },
    ...state,
  }
  return askSimulator(simulator, modelId, {
    path: flavour === 'json' ? '/' : '/generateAssistantResponse',
    headers: { ...callHeaders('GenerateAssistantResponse', token, flavour), ...headers },
    members: { model: undefined, stream: undefined, messages: undefined, conversationState, ...members },
    ...rest,
  })
}

/** Asks for another operation with JSON 1.0. */
export async function callAmazonQ(
  simulator: AmazonQSimulator,
  operation: string,
  parameters: object,
  token = TOKEN,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const headers = { ...callHeaders(operation, token), 'x-amz-target': `AmazonCodeWhispererService.${operation}` }
  const response = await fetch(simulator.url, { method: 'POST', headers, body: JSON.stringify(parameters) })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

export function callHeaders(operation: string, token: string, flavour: Flavour = 'json'): Record<string, string> {
  const authorization = `Bearer ${token}`
  if (flavour === 'rest') return { 'content-type': 'application/json', authorization }
  return {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `AmazonCodeWhispererStreamingService.${operation}`,
    authorization,
  }
}

/** A frame as tests look at it. */
export interface SeenFrame {
  readonly headers: Readonly<Record<string, string>>
  readonly payload: string
}

const codec = new EventStreamCodec(
  bytes => Buffer.from(bytes as Uint8Array).toString(),
  text => Buffer.from(text),
)

/** The frames of a body. @throws {Error} one of them is broken */
export function framesOf(reply: Reply): readonly SeenFrame[] {
  const bytes = Buffer.concat(reply.pieces)
  const frames: SeenFrame[] = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    const { headers, body } = codec.decode(bytes.subarray(at, at + bytes.readUInt32BE(at)))
    frames.push({
      headers: Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, String(value)])),
      payload: Buffer.from(body).toString(),
    })
  }
  return frames
}

/** The names of the frames' events or exceptions, in order. */
export function namesOf(reply: Reply): readonly string[] {
  return framesOf(reply).map(({ headers }) => headers[':event-type'] ?? headers[':exception-type'] ?? ':error')
}

/** The payloads of all events of one kind. */
export function payloadsOf(reply: Reply, type: string): readonly Readonly<Record<string, unknown>>[] {
  return framesOf(reply)
    .filter(({ headers }) => headers[':event-type'] === type)
    .map(({ payload }) => JSON.parse(payload) as Record<string, unknown>)
}

/** All text of an answer. */
export function textOf(reply: Reply): string {
  return payloadsOf(reply, 'assistantResponseEvent')
    .map(({ content }) => content ?? '')
    .join('')
}

/** The calls of an answer whose events are as they should be. */
export function callsOf(
  reply: Reply,
): readonly { readonly id: unknown; readonly name: unknown; readonly input: unknown }[] {
  const calls = new Map<unknown, { readonly name: unknown; input: string }>()
  for (const { toolUseId, name, input = '' } of payloadsOf(reply, 'toolUseEvent')) {
    const call = calls.get(toolUseId) ?? { name, input: '' }
    call.input += String(input)
    calls.set(toolUseId, call)
  }
  return [...calls].map(([id, { name, input }]) => ({ id, name, input: JSON.parse(input || '{}') as unknown }))
}

/** What an answer says is wrong: status, exception, reason and words. */
export function faultOf({ status, headers, text }: Reply): readonly [number, unknown, unknown, unknown] {
  const body = JSON.parse(text) as Record<string, unknown>
  const name = headers['x-amzn-errortype'] ?? String(body['__type']).replace(/^.*#/, '')
  return [status, name, body['reason'], body['message']]
}

export function toTool(name: string, properties: object = {}, required?: readonly string[]): Tool {
  const json = { type: 'object', properties, ...(required && { required }) }
  return { toolSpecification: { name, description: `Tool: ${name}`, inputSchema: { json } } } as Tool
}
