import { GatewayError, type Call, type ChatRequest, type Edits } from '@millrace/core'
import { encodeBody, toStreamOptions, withRules, type MemberRules } from '@millrace/openai-dialect'
import { isMarked, MAX_CACHE_MARKS } from './cache-marks.ts'
import { toMessages } from './messages.ts'
import { limitsOf } from './model-table.ts'
import { isThinking, toThinking } from './thinking.ts'
import { toToolMembers } from './tools.ts'

export interface QwenRules {
  /** Whether the request goes to the portal of sign-ins, which is stricter. */
  readonly isPortal: boolean
  /** Give the portal a tool to leave alone where the client has none. */
  readonly dummyTool: boolean
  /** What whoever runs the gateway changes on top. */
  readonly request: MemberRules
}

/** Sampling from fewer is not done: what `top_p: 0` means, which Qwen refuses. */
const LEAST_TOP_P = 0.000_001
const MAX_TEMPERATURE = 2

/** Members that some of Qwen's servers refuse and none heeds. */
const UNKNOWN_MEMBERS = ['store', 'background', 'webhook_config']

/** Names that the portal has other names for. */
const PORTAL_NAMES: Readonly<Record<string, string>> = {
  'qwen3.5-plus': 'coder-model',
  'qwen3.6-plus': 'coder-model',
}

const DUMMY_TOOL = {
  type: 'function',
  function: {
    name: 'no_tool_needed',
    description: 'Does nothing. Never call it.',
    parameters: { type: 'object', properties: {} },
  },
}

/**
 * The body for Qwen, with these `corrections` made last: the client's own bytes but for the members that have to change. Always a stream: whole answers are
 * made of it, since many models give nothing else, and none gives more than 300 s of silence.
 * @throws {GatewayError} `unsupported_parameter`: what Qwen cannot do, and nothing stands for
 */
export function toQwenBody(request: ChatRequest, call: Call, rules: QwenRules, corrections: Edits = {}): Buffer {
  const edits = withRules(toEdits(request, call.model, rules), request, rules.request)
  return encodeBody(request, call, { ...edits, ...corrections })
}

function toEdits(request: ChatRequest, model: string, { isPortal, dummyTool }: QwenRules): Record<string, unknown> {
  const tools = request.tools ?? []
  const thinking = toThinking(request, model)
  const messages = toMessages(request.messages, {
    isPortal,
    preserveThinking: request['preserve_thinking'] === true,
    maxCacheMarks: MAX_CACHE_MARKS - (tools.some(isMarked) ? 1 : 0),
  })
  return {
    ...Object.fromEntries(UNKNOWN_MEMBERS.map(name => [name, undefined])),
    model: isPortal ? (PORTAL_NAMES[model] ?? model) : model,
    ...(messages === request.messages ? undefined : { messages }),
    stream: true,
    stream_options: toStreamOptions(request),
    ...toSampling(request),
    ...toLimit(request, model),
    ...thinking,
    ...toToolMembers(request, isThinking({ ...request, ...thinking }, model)),
    ...(isPortal && dummyTool && tools.length === 0 ? { tools: [DUMMY_TOOL] } : undefined),
  }
}

function toSampling({ temperature, top_p }: ChatRequest): Readonly<Record<string, unknown>> {
  if (temperature != null && temperature >= MAX_TEMPERATURE) {
    throw new GatewayError('unsupported_parameter', `Qwen takes temperatures below ${MAX_TEMPERATURE}.`, {
      param: 'temperature',
    })
  }
  return top_p === 0 ? { top_p: LEAST_TOP_P } : {}
}

/** The newer name for the limit is not heeded by all models; a limit above the model's own is refused. */
function toLimit({ max_completion_tokens, max_tokens }: ChatRequest, model: string): Readonly<Record<string, unknown>> {
  const wanted = max_completion_tokens ?? max_tokens
  if (wanted == null) return { max_completion_tokens: undefined }
  return { max_completion_tokens: undefined, max_tokens: Math.min(wanted, limitsOf(model)?.output ?? Infinity) }
}
