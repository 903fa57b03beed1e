import type { Call, ChatRequest, Edits } from '@millrace/core'

/** How whoever runs the gateway changes the outermost members of a request for one upstream. */
export interface MemberRules {
  /** Old name → the upstream's name for it. */
  readonly rename?: Readonly<Record<string, string>> | undefined
  /** Members this upstream refuses. */
  readonly drop?: readonly string[] | undefined
  /** Members to send whatever the client says. */
  readonly set?: Readonly<Record<string, unknown>> | undefined
}

export interface RequestRules extends MemberRules {
  /** The role under which `developer` messages go. */
  readonly developerRole: 'developer' | 'system'
  /** Whether the upstream understands `stream_options`. */
  readonly streamOptions: boolean
}

/** The body for the upstream: the client's own bytes but for the members that have to change. */
export function toBody(request: ChatRequest, call: Call, rules: RequestRules): Buffer {
  return encodeBody(request, call, withRules(toEdits(request, call, rules), request, rules))
}

/** The request with these members set or left out; the rest byte for byte as it came, where the bytes are there. */
export function encodeBody(request: object, { source }: Pick<Call, 'source'>, edits: Edits): Buffer {
  return source?.with(edits) ?? Buffer.from(JSON.stringify({ ...request, ...edits }))
}

/** The edits, with the rules applied to what comes of them. */
export function withRules(
  edits: Edits,
  request: Readonly<Record<string, unknown>>,
  { rename = {}, drop = [], set = {} }: MemberRules,
): Edits {
  const all: Record<string, unknown> = { ...edits }
  for (const [from, to] of Object.entries(rename)) {
    const value = from in all ? all[from] : request[from]
    if (value == null) continue
    all[from] = undefined
    all[to] = value
  }
  for (const name of drop) all[name] = undefined
  return Object.assign(all, set)
}

/** What makes an upstream stream, and tell its usage whether or not the client wants to see it: the gateway accounts for it. */
export function toStreamOptions({ stream_options }: ChatRequest): Readonly<Record<string, unknown>> {
  return { ...stream_options, include_usage: true }
}

function toEdits(request: ChatRequest, call: Call, rules: RequestRules): Edits {
  const edits: Record<string, unknown> = {
    model: call.model,
    stream: call.stream ? true : undefined,
    stream_options: call.stream && rules.streamOptions ? toStreamOptions(request) : undefined,
  }
  if (rules.developerRole === 'system' && request.messages.some(({ role }) => role === 'developer')) {
    edits['messages'] = request.messages.map(message =>
      message.role === 'developer' ? { ...message, role: 'system' } : message,
    )
  }
  // Where a client gives both, the newer name counts; an upstream should see one of them only.
  if (request.max_completion_tokens != null && request.max_tokens != null) edits['max_tokens'] = undefined
  return edits
}
