import { z } from 'zod'

const count = z.int().min(1).nullish()
const part = z.looseObject({ type: z.string() })
const content = z.union([z.string(), z.array(part)])

const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: content.nullish(),
  tool_calls: z.array(z.looseObject({ id: z.string().optional() })).nullish(),
  tool_call_id: z.string().nullish(),
  name: z.string().nullish(),
})

const tool = z.looseObject({ type: z.string(), function: z.looseObject({ name: z.string().min(1) }).optional() })
const legacyFunction = z.looseObject({ name: z.string().min(1) })

/**
 * A chat completion request as any client dialect is read into it: the members that routing, rules and operators look
 * at are checked, all others are kept as they came and left for the upstream to judge. An explicit null means absent.
 */
export const ChatRequest = z.looseObject({
  model: z.string().min(1).max(512),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(128).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  max_tokens: count,
  max_completion_tokens: count,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  tools: z.array(tool).max(1024).nullish(),
  functions: z.array(legacyFunction).max(1024).nullish(),
  user: z.string().nullish(),
})
export type ChatRequest = z.infer<typeof ChatRequest>

/** The closed set of reasons with which a choice may end. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call'

export interface ToolCallDelta {
  readonly index: number
  /** `id`, `type` and `function.name` come with the first delta of a call and with no other. */
  readonly id?: string
  readonly type?: 'function'
  readonly function: { readonly name?: string; readonly arguments?: string }
}

/** What is new in one choice. `role` comes with the first delta of the choice and with no other. */
export interface Delta {
  readonly role?: 'assistant'
  readonly content?: string | null
  readonly reasoning_content?: string
  readonly refusal?: string
  readonly tool_calls?: readonly ToolCallDelta[]
  /** The older form of one tool call; only where the request used `functions`. */
  readonly function_call?: { readonly name?: string; readonly arguments?: string }
  /** Members handed on as they came: `annotations`, `audio`, `reasoning_details`. */
  readonly [extension: string]: unknown
}

export interface ChunkChoice {
  readonly index: number
  readonly delta: Delta
  readonly finish_reason: FinishReason | null
  readonly logprobs?: unknown
}

/** Token counts, non-negative integers. Detail objects are kept as the upstream sent them. */
export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly [extension: string]: unknown
}

/** What stays the same over one stream. */
export interface ChunkHead {
  readonly id: string
  /** Unix time, seconds. */
  readonly created: number
  /** The model under the name by which the client asked for it. */
  readonly model: string
  /** Whether the client asked for usage: then one chunk carries it, and all others carry `usage: null`. */
  readonly includeUsage: boolean
}

export interface ChatChunk {
  readonly id: string
  readonly object: 'chat.completion.chunk'
  readonly created: number
  readonly model: string
  readonly choices: readonly ChunkChoice[]
  readonly usage?: Usage | null
  /** Members handed on as they came: `system_fingerprint`, `service_tier`, `citations`. */
  readonly [extension: string]: unknown
}

/** One chunk on its way to the client. A provider that builds chunks itself yields a plain `{ chunk }`. */
export interface Frame {
  /** Parsed on first read when it came as bytes. */
  readonly chunk: ChatChunk
  /**
   * The chunk as a complete server-sent event, blank line included, where it exists already and needs no look: it then
   * carries nothing but text of one choice (content, reasoning, or a further piece of tool arguments). Never mutated.
   */
  readonly bytes?: Buffer
  /** Of a frame with usage: it was not counted by the upstream. */
  readonly isEstimate?: true
}

/** What one upstream read gave. Frames travel together, so that one read upstream becomes one write to the client. */
export type Frames = AsyncIterable<readonly Frame[]>

export interface ChatMessage {
  readonly role: 'assistant'
  readonly content: string | null
  readonly refusal: string | null
  readonly reasoning_content?: string
  readonly tool_calls:
    | readonly {
        readonly id: string
        readonly type: 'function'
        readonly function: { readonly name: string; readonly arguments: string }
      }[]
    | null
  readonly function_call: { readonly name: string; readonly arguments: string } | null
  readonly [extension: string]: unknown
}

/** A whole answer: what `stream: false` gives. */
export interface ChatCompletion {
  readonly id: string
  readonly object: 'chat.completion'
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly message: ChatMessage
    readonly finish_reason: FinishReason
    readonly logprobs: unknown
  }[]
  readonly usage: Usage | null
  readonly [extension: string]: unknown
}
