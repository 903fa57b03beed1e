import type { ChatCompletion, ChatMessage, ChunkHead, Delta, FinishReason, Frames, Usage } from '@millrace/core'

interface Call {
  id: string
  name: string
  readonly arguments: string[]
}

interface Choice {
  readonly content: string[]
  readonly reasoning: string[]
  readonly refusal: string[]
  readonly calls: Call[]
  legacy: Call | undefined
  readonly extensions: Record<string, unknown>
  logprobs: Record<string, unknown[]> | undefined
  finish: FinishReason
}

const KNOWN = new Set(['role', 'content', 'reasoning_content', 'refusal', 'tool_calls', 'function_call'])

/**
 * Frames that keep the stream contract → the completion that they are the stream of. Members that clients read are
 * there even where they are null. @throws whatever the frames throw: of an answer that is not whole nothing is made.
 */
export async function collect(frames: Frames, head: ChunkHead): Promise<ChatCompletion> {
  const choices: Choice[] = []
  let usage: Usage | null = null
  const extensions: Record<string, unknown> = {}
  for await (const batch of frames) {
    for (const { chunk } of batch) {
      const {
        id: _id,
        object: _object,
        created: _created,
        model: _model,
        choices: parts,
        usage: latest,
        ...rest
      } = chunk
      Object.assign(extensions, rest)
      usage = latest ?? usage
      for (const { index, delta, finish_reason, logprobs } of parts) {
        const choice = (choices[index] ??= createChoice())
        add(choice, delta)
        if (logprobs != null) choice.logprobs = addLogprobs(choice.logprobs, logprobs)
        if (finish_reason !== null) choice.finish = finish_reason
      }
    }
  }
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: choices.flatMap((choice, index) => {
      const { finish, logprobs } = choice
      return [{ index, message: toMessage(choice), logprobs: logprobs ?? null, finish_reason: finish }]
    }),
    usage,
    service_tier: null,
    system_fingerprint: null,
    ...extensions,
  }
}

function createChoice(): Choice {
  return {
    content: [],
    reasoning: [],
    refusal: [],
    calls: [],
    legacy: undefined,
    extensions: {},
    logprobs: undefined,
    finish: 'stop',
  }
}

function add(choice: Choice, delta: Delta): void {
  if (delta.content) choice.content.push(delta.content)
  if (delta.reasoning_content) choice.reasoning.push(delta.reasoning_content)
  if (delta.refusal) choice.refusal.push(delta.refusal)
  for (const {
    index,
    id,
    function: { name, arguments: text },
  } of delta.tool_calls ?? []) {
    const call = (choice.calls[index] ??= { id: '', name: '', arguments: [] })
    call.id ||= id ?? ''
    call.name ||= name ?? ''
    if (text) call.arguments.push(text)
  }
  if (delta.function_call !== undefined) {
    choice.legacy ??= { id: '', name: '', arguments: [] }
    choice.legacy.name ||= delta.function_call.name ?? ''
    choice.legacy.arguments.push(delta.function_call.arguments ?? '')
  }
  for (const [name, value] of Object.entries(delta)) {
    if (KNOWN.has(name)) continue
    const before = choice.extensions[name]
    choice.extensions[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
  }
}

/** Probabilities come in pieces like the text: the lists of each (`content`, `refusal`) are joined. */
function addLogprobs(before: Record<string, unknown[]> | undefined, piece: unknown): Record<string, unknown[]> {
  const joined: Record<string, unknown[]> = { ...before }
  for (const [name, list] of Object.entries(piece as Record<string, unknown>)) {
    if (Array.isArray(list)) joined[name] = [...(joined[name] ?? []), ...list]
  }
  return joined
}

function toMessage({ content, reasoning, refusal, calls, legacy, extensions }: Choice): ChatMessage {
  const called = calls.map(({ id, name, arguments: pieces }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: pieces.join('') },
  }))
  const text = content.join('')
  return {
    role: 'assistant',
    content: text === '' && (called.length > 0 || legacy !== undefined || refusal.length > 0) ? null : text,
    refusal: refusal.length > 0 ? refusal.join('') : null,
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : undefined),
    tool_calls: called.length > 0 ? called : null,
    function_call: legacy === undefined ? null : { name: legacy.name, arguments: legacy.arguments.join('') },
    ...extensions,
  }
}
