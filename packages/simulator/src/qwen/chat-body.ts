/** A message, as far as anything looks at it; each member may be anything. */
export interface LooseMessage {
  readonly role?: unknown
  readonly content?: unknown
  readonly tool_calls?: unknown
  readonly tool_call_id?: unknown
  readonly partial?: unknown
}

/** The body of a chat request in the compatible dialect: whatever it has. */
export interface ChatBody extends Readonly<Record<string, unknown>> {
  readonly model: string
  readonly messages: readonly (LooseMessage | null)[]
}

export interface LooseTool {
  readonly cache_control?: unknown
  readonly function?: { readonly name?: unknown }
}

interface LoosePart {
  readonly text?: unknown
  readonly cache_control?: unknown
}

export function toolsOf(body: ChatBody): readonly (LooseTool | null)[] {
  return Array.isArray(body['tools']) ? (body['tools'] as (LooseTool | null)[]) : []
}

/** The calls in a message of an assistant. */
export function callsOf(
  message: LooseMessage | null,
): readonly { readonly name: unknown; readonly arguments: unknown }[] {
  if (!Array.isArray(message?.tool_calls)) return []
  const calls = message.tool_calls as readonly ({ function?: { name?: unknown; arguments?: unknown } } | null)[]
  return calls.map(call => ({ name: call?.function?.name, arguments: call?.function?.arguments }))
}

/** What the tools gave that the conversation ends with, each as text. */
export function resultsOf({ messages }: ChatBody): readonly string[] {
  const asking = messages.findLastIndex(message => message?.role !== 'tool')
  return messages.slice(asking + 1).map(message => textOf(message?.content))
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: LoosePart | null) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** How many parts and tools are marked to be cached. */
export function countCacheMarkers(body: ChatBody): number {
  const parts = body.messages.flatMap(message =>
    Array.isArray(message?.content) ? (message.content as (LoosePart | null)[]) : [],
  )
  return [...parts, ...toolsOf(body)].filter(one => one?.cache_control !== undefined && one.cache_control !== null)
    .length
}

const CHARACTERS_PER_TOKEN = 4

/** About how many tokens messages or texts are. */
export function estimateTokens(asked: unknown): number {
  return Math.ceil(String(JSON.stringify(asked)).length / CHARACTERS_PER_TOKEN)
}
