import { toCompletion } from '../completion.ts'
import type { Ask, DataEvent, StreamEvent } from '../scenario.ts'
import { argumentPieces, toToolCall } from '../scenarios/tool-call.ts'
import type { ToolCall } from '../scenarios/tool-call.ts'
import { textPieces } from '../words.ts'

/** What a chat request asks of a Qwen model. */
export interface QwenAsk extends Ask {
  /** Whether the model thinks before it answers. */
  readonly thinks: boolean
  /** Whether it may call several tools at once: not unless it is told so. */
  readonly parallel: boolean
  /** What the tools gave that the conversation ends with. */
  readonly results: readonly string[]
}

/** The same in every answer, so that answers can be kept and compared byte by byte. */
const UUID = '00000000-0000-4000-8000-000000000000'
export const QWEN_HEAD = { created: 1_780_000_000, id: `chatcmpl-${UUID}`, requestId: UUID } as const

const MAX_THOUGHTS = 6

/** A chunk as the service writes it: members in its order, `usage` in all of them. */
export function toChunk(ask: QwenAsk, choices: readonly object[], usage: object | null = null): DataEvent {
  return {
    data: {
      choices,
      object: 'chat.completion.chunk',
      usage,
      created: QWEN_HEAD.created,
      system_fingerprint: null,
      model: ask.model,
      id: QWEN_HEAD.id,
    },
  }
}

export interface QwenChoice {
  readonly delta: Readonly<Record<string, unknown>> | null
  readonly finish_reason?: string | null
  readonly index: number
  readonly logprobs?: null
}

export function toChoice(delta: QwenChoice['delta'], finish: string | null = null): QwenChoice {
  return { delta, finish_reason: finish, index: 0, logprobs: null }
}

export const USAGE_MODES = ['end', 'finish', 'each', 'first', 'twice', 'none', 'negative', 'huge', 'top'] as const

/** Token counts, with the members that the service has for them. */
export function toUsage(ask: QwenAsk, completion: number, reasoning = 0): Record<string, unknown> {
  const { options } = ask
  const prompt = options.number('prompt', 12)
  const written = options.number('cacheWrite', 0)
  const cached = options.number('cached', 0)
  const isTop = options.text('usage') === 'top'
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(reasoning > 0 && { completion_tokens_details: { reasoning_tokens: reasoning } }),
    ...(isTop
      ? { cached_tokens: cached }
      : {
          prompt_tokens_details: {
            cached_tokens: cached,
            ...(written > 0 && {
              cache_creation_input_tokens: written,
              cache_creation: { ephemeral_5m_input_tokens: written },
              cache_type: 'ephemeral',
            }),
          },
        }),
  }
}

/** A stream of these choices, with usage where it was asked for; `[DONE]` excepted. */
export function* toStream(ask: QwenAsk, choices: Iterable<QwenChoice>): Generator<DataEvent> {
  const mode = ask.options.oneOf('usage', USAGE_MODES, ask.includeUsage ? 'end' : 'none')
  let count = 0
  let reasoning = 0
  const usage = (): object => toUsage(ask, count, reasoning)

  if (mode === 'first') yield toChunk(ask, [], usage())
  for (const choice of choices) {
    const { content, reasoning_content: thought, tool_calls: calls } = choice.delta ?? {}
    if (content || thought || calls) count++
    if (thought) reasoning++
    const isBeside = mode === 'each' || (mode === 'finish' && choice.finish_reason)
    yield toChunk(ask, [choice], isBeside ? usage() : null)
  }
  if (mode === 'end' || mode === 'twice' || mode === 'top') yield toChunk(ask, [], usage())
  if (mode === 'twice') yield toChunk(ask, [], usage())
  if (mode === 'negative') {
    yield toChunk(ask, [], { prompt_tokens: -12, completion_tokens: -1, total_tokens: -13 })
  }
  if (mode === 'huge') {
    yield toChunk(ask, [], { prompt_tokens: 2 ** 60, completion_tokens: 2 ** 60, total_tokens: 2 ** 61 })
  }
}

/** What the model thinks; nothing where it does not. */
export function thoughtsOf(ask: QwenAsk): readonly string[] {
  return ask.thinks ? [...textPieces(ask.options, 3)].slice(0, MAX_THOUGHTS) : []
}

/** Thoughts and words, from the role to the finish. */
export function* textChoices(
  ask: QwenAsk,
  words: Iterable<string> = textPieces(ask.options),
  thoughts: readonly string[] = thoughtsOf(ask),
): Generator<QwenChoice> {
  const beside = thoughts.length > 0 ? { reasoning_content: null } : {}
  yield* thinkingChoices(thoughts)
  for (const content of words) yield toChoice({ content, ...beside })
  yield toChoice({ content: '', ...beside }, ask.options.text('finish', 'stop'))
}

/** The role, and the thoughts where there are any. */
export function* thinkingChoices(thoughts: readonly string[]): Generator<QwenChoice> {
  if (thoughts.length === 0) yield toChoice({ content: '', role: 'assistant' })
  else yield toChoice({ content: null, role: 'assistant', reasoning_content: '' })
  for (const thought of thoughts) yield toChoice({ content: null, reasoning_content: thought })
}

/** A call as the service names it. */
export function toQwenCall(ask: QwenAsk, at = 0): ToolCall {
  return { ...toToolCall(ask, at), id: `call_${(at + 1).toString(16).padStart(24, '0')}` }
}

/** The deltas of one call: its head, its arguments, and an empty one at the end. */
export function* callChoices(ask: QwenAsk, index: number): Generator<QwenChoice> {
  const call = toQwenCall(ask, index)
  const head = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
  yield toChoice({ content: null, tool_calls: [head] })
  for (const piece of argumentPieces(ask, call)) {
    yield toChoice({ content: null, tool_calls: [{ index, id: '', type: 'function', function: { arguments: piece } }] })
  }
}

/** The last delta of call number `index`: nothing is new in it, and the choice lacks its other members. */
export function closingChoice(index: number): QwenChoice {
  return { delta: { tool_calls: [{ function: { arguments: '' }, index, id: '', type: 'function' }] }, index: 0 }
}

/** The same choices, with the role in the first of them. */
export function* withRole(choices: Iterable<QwenChoice>): Generator<QwenChoice> {
  let isFirst = true
  for (const choice of choices) {
    yield isFirst ? { ...choice, delta: { ...choice.delta, role: 'assistant' } } : choice
    isFirst = false
  }
}

/** What a fold over any events gives, as far as it is known. */
interface Folded {
  readonly choices: readonly {
    readonly index: number
    readonly message: Readonly<Record<string, unknown>> & { readonly tool_calls?: readonly object[] }
    readonly finish_reason: string
  }[]
  readonly usage?: object
}

/** The whole answer that says in one piece what the events say in many, as the service lays it out. */
export function toWhole(ask: QwenAsk, events: Iterable<StreamEvent>): object {
  const { choices, usage } = toCompletion(ask, events) as Folded
  return {
    choices: choices.map(({ message, finish_reason, index }) => ({
      message: toMessage(message),
      finish_reason,
      index,
      logprobs: null,
    })),
    object: 'chat.completion',
    usage,
    created: QWEN_HEAD.created,
    system_fingerprint: null,
    model: ask.model,
    id: QWEN_HEAD.id,
  }
}

function toMessage({ content, reasoning_content, tool_calls }: Folded['choices'][number]['message']): object {
  return {
    content: content ?? '',
    ...(reasoning_content ? { reasoning_content } : {}),
    role: 'assistant',
    ...(tool_calls !== undefined && { tool_calls: tool_calls.map((call, index) => ({ index, ...call })) }),
  }
}
