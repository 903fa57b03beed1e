import { OptionError } from './options.ts'

/** The members of a chat request that scenarios look at. */
export interface ChatRequest {
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly choices: number
  readonly tools: readonly string[]
  readonly hasToolResult: boolean
  /** Text of the last user message. */
  readonly prompt: () => string
}

/** What is wrong with a request; `param` names the member. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly param: string | null

  constructor(message: string, param: string | null = null) {
    super(message)
    this.param = param
  }
}

/** Whether an error says that a request, or what it asks the simulator for, makes no sense. */
export function isImproper(error: unknown): error is RequestError | OptionError {
  return error instanceof RequestError || error instanceof OptionError
}

interface Message {
  readonly role?: unknown
  readonly content?: unknown
}

const MAX_TOOLS_READ = 4

/**
 * JSON text → the object it holds.
 * @throws {RequestError}
 */
export function parseBody(text: string): Record<string, unknown> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new RequestError('We could not parse the JSON body of your request.')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestError('The body must be a JSON object.')
  }
  return body as Record<string, unknown>
}

/** @throws {RequestError} the model or the messages are missing */
export function parseChatRequest(text: string): ChatRequest {
  const body = parseBody(text)
  const messages = body['messages']
  if (!Array.isArray(messages) || messages.length === 0) throw missing('messages')
  const conversation = messages as readonly (Message | null)[]
  const { include_usage } = (body['stream_options'] ?? {}) as { include_usage?: unknown }
  return {
    model: readModel(body),
    stream: body['stream'] === true,
    includeUsage: include_usage === true,
    choices: typeof body['n'] === 'number' ? Math.min(128, Math.max(1, Math.trunc(body['n']))) : 1,
    tools: toolNames(body['tools'] ?? body['functions']),
    hasToolResult: ['tool', 'function'].includes(String(conversation.at(-1)?.role)),
    prompt: () => toText(conversation.findLast(message => message?.role === 'user')?.content),
  }
}

/** @throws {RequestError} there is none */
export function readModel(body: Record<string, unknown>): string {
  const { model } = body
  if (typeof model !== 'string' || model === '') throw missing('model')
  return model
}

function missing(param: string): RequestError {
  return new RequestError(`Missing required parameter: '${param}'.`, param)
}

function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return []
  const names = tools.slice(0, MAX_TOOLS_READ).map((tool: { function?: { name?: unknown }; name?: unknown } | null) => {
    return tool?.function?.name ?? tool?.name
  })
  return names.filter(name => typeof name === 'string')
}

function toText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('')
}
