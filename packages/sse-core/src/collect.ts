import {
  run,
  type ChatCompletion,
  type ChatMessage,
  type ChunkHead,
  type Delta,
  type FinishReason,
  type Frames,
  type Usage,
} from '@millrace/core'

interface Call {
  id: string
  name: string
  readonly arguments: string[]
  readonly extensions: Record<string, unknown>
}

interface Choice {
  readonly content: string[]
  readonly reasoning: string[]
  readonly refusal: string[]
  readonly calls: Call[]
  legacy: Call | undefined
  readonly extensions: Joined
  logprobs: Joined | undefined
  finish: FinishReason
}

/** Members that come in pieces: lists are joined, of all else the last counts. */
type Joined = Map<string, unknown>

const CHUNK_MEMBERS = new Set(['id', 'object', 'created', 'model', 'choices', 'usage'])
const DELTA_MEMBERS = new Set(['role', 'content', 'reasoning_content', 'refusal', 'tool_calls', 'function_call'])

/**
 * Frames that keep the stream contract → the completion that they are the stream of. Members that clients read are
 * there even where they are null. @throws whatever the frames throw: of an answer that is not whole nothing is made.
 */
export async function collect(frames: Frames, head: ChunkHead): Promise<ChatCompletion> {
  const choices: Choice[] = []
  let usage: Usage | null = null
  const extensions = new Map<string, unknown>()
  await run(frames, batch => {
    for (const { chunk } of batch) {
      usage = chunk.usage ?? usage
      for (const [name, value] of Object.entries(chunk)) if (!CHUNK_MEMBERS.has(name)) extensions.set(name, value)
      for (const { index, delta, finish_reason, logprobs } of chunk.choices) {
        const choice = (choices[index] ??= createChoice())
        add(choice, delta)
        if (logprobs != null) join((choice.logprobs ??= new Map()), logprobs)
        if (finish_reason !== null) choice.finish = finish_reason
      }
    }
  })
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    // A list with holes where an index was left out: `flatMap` passes over them.
    choices: choices.flatMap((choice, index) => ({
      index,
      message: toMessage(choice),
      logprobs:
        choice.logprobs === undefined ? null : { content: null, refusal: null, ...Object.fromEntries(choice.logprobs) },
      finish_reason: choice.finish,
    })),
    usage,
    service_tier: null,
    system_fingerprint: null,
    ...Object.fromEntries(extensions),
  }
}

function createChoice(): Choice {
  return {
    content: [],
    reasoning: [],
    refusal: [],
    calls: [],
    legacy: undefined,
    extensions: new Map(),
    logprobs: undefined,
    finish: 'stop',
  }
}

function createCall(): Call {
  return { id: '', name: '', arguments: [], extensions: {} }
}

function add(choice: Choice, delta: Delta): void {
  if (delta.content) choice.content.push(delta.content)
  if (delta.reasoning_content) choice.reasoning.push(delta.reasoning_content)
  if (delta.refusal) choice.refusal.push(delta.refusal)
  for (const { index, id, type: _type, function: details, ...rest } of delta.tool_calls ?? []) {
    const call = (choice.calls[index] ??= createCall())
    call.id ||= id ?? ''
    addDetails(call, details)
    Object.assign(call.extensions, rest)
  }
  if (delta.function_call !== undefined) addDetails((choice.legacy ??= createCall()), delta.function_call)
  join(choice.extensions, delta, DELTA_MEMBERS)
}

function addDetails(call: Call, { name, arguments: piece }: { name?: string; arguments?: string }): void {
  call.name ||= name ?? ''
  if (piece) call.arguments.push(piece)
}

function join(joined: Joined, piece: object, except?: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(piece)) {
    if (except?.has(name) || value === null) continue
    const before = joined.get(name)
    if (!Array.isArray(value)) joined.set(name, value)
    else if (Array.isArray(before)) for (const item of value) before.push(item)
    else joined.set(name, [...value])
  }
}

function toMessage({ content, reasoning, refusal, calls, legacy, extensions }: Choice): ChatMessage {
  const called = calls.map(call => ({
    id: call.id,
    type: 'function' as const,
    function: { name: call.name, arguments: call.arguments.join('') },
    ...call.extensions,
  }))
  const text = content.join('')
  return {
    role: 'assistant',
    content: text === '' && (called.length > 0 || legacy !== undefined || refusal.length > 0) ? null : text,
    refusal: refusal.length > 0 ? refusal.join('') : null,
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : undefined),
    tool_calls: called.length > 0 ? called : null,
    function_call: legacy === undefined ? null : { name: legacy.name, arguments: legacy.arguments.join('') },
    ...Object.fromEntries(extensions),
  }
}
