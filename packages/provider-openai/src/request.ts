import type { Call, ChatRequest, Edits } from '@millrace/core'

/** How the outermost members of a request are changed for one upstream. */
export interface RequestRules {
  /** Old name → the upstream's name for it. */
  readonly rename?: Readonly<Record<string, string>> | undefined
  /** Members this upstream refuses. */
  readonly drop?: readonly string[] | undefined
  /** Members to send whatever the client says. */
  readonly set?: Readonly<Record<string, unknown>> | undefined
  /** The role under which `developer` messages go. */
  readonly developerRole: 'developer' | 'system'
  /** Whether the upstream understands `stream_options`. */
  readonly streamOptions: boolean
}

/** The body for the upstream: the client's own bytes but for the members that have to change. */
export function toBody(request: ChatRequest, call: Call, rules: RequestRules): Buffer {
  const edits = toEdits(request, call, rules)
  return call.source?.with(edits) ?? Buffer.from(JSON.stringify({ ...request, ...edits }))
}

function toEdits(request: ChatRequest, call: Call, rules: RequestRules): Edits {
  const edits: Record<string, unknown> = {
    model: call.model,
    stream: call.stream ? true : undefined,
    // Usage is asked for whether or not the client wants to see it: the gateway accounts for it.
    stream_options: call.stream && rules.streamOptions ? { ...request.stream_options, include_usage: true } : undefined,
  }
  if (rules.developerRole === 'system' && request.messages.some(({ role }) => role === 'developer')) {
    edits['messages'] = request.messages.map(message =>
      message.role === 'developer' ? { ...message, role: 'system' } : message,
    )
  }
  // Where a client gives both, the newer name counts; an upstream should see one of them only.
  if (request.max_completion_tokens != null && request.max_tokens != null) edits['max_tokens'] = undefined
  for (const [from, to] of Object.entries(rules.rename ?? {})) {
    const value = from in edits ? edits[from] : request[from]
    if (value == null) continue
    edits[from] = undefined
    edits[to] = value
  }
  for (const name of rules.drop ?? []) edits[name] = undefined
  return { ...edits, ...rules.set }
}
