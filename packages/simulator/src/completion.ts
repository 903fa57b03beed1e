import { HEAD, toUsage } from './chunks.ts'
import type { Ask, StreamEvent } from './scenario.ts'

/** Any chunk, however odd: only what the fold looks at. */
interface LooseChunk {
  readonly choices?: readonly LooseChoice[] | null
  readonly usage?: object | null
  readonly x_groq?: { readonly usage?: object }
}

interface LooseChoice {
  readonly index?: number
  readonly delta?: Record<string, unknown>
  readonly message?: Record<string, unknown>
  readonly finish_reason?: string | null
  readonly usage?: object
  readonly logprobs?: { readonly content?: readonly unknown[] } | null
}

interface LooseCall {
  readonly index?: unknown
  readonly id?: unknown
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown }
  readonly [extension: string]: unknown
}

interface Call {
  readonly slot: unknown
  readonly call: { readonly function: Record<string, unknown>; readonly [member: string]: unknown }
}

interface Choice {
  readonly message: Record<string, unknown>
  readonly calls: Call[]
  readonly logprobs: unknown[]
  finish: string
}

/** The JSON completion that says in one piece what the events say in many. */
export function toCompletion(ask: Ask, events: Iterable<StreamEvent>): object {
  const choices = new Map<number, Choice>()
  let usage: object | undefined
  let count = 0
  for (const event of events) {
    if (!('data' in event) || typeof event.data === 'string') continue
    const chunk = event.data as LooseChunk
    usage = chunk.usage ?? chunk.x_groq?.usage ?? usage
    for (const choice of chunk.choices ?? []) {
      count++
      usage = choice.usage ?? usage
      addTo(choices, choice)
    }
  }
  const reported = usage ?? toUsage(ask, count)
  return {
    id: HEAD.id,
    object: 'chat.completion',
    created: HEAD.created,
    model: ask.model,
    system_fingerprint: 'fp_simulated',
    choices: [...choices].map(([index, choice]) => ({
      index,
      message:
        choice.calls.length === 0
          ? choice.message
          : { ...choice.message, tool_calls: choice.calls.map(({ call }) => call) },
      logprobs: choice.logprobs.length === 0 ? null : { content: choice.logprobs, refusal: null },
      finish_reason: choice.finish,
    })),
    ...(ask.options.text('usage') === 'none' ? {} : { usage: reported }),
  }
}

function addTo(choices: Map<number, Choice>, piece: LooseChoice): void {
  const index = piece.index ?? 0
  let choice = choices.get(index)
  if (choice === undefined) {
    choice = {
      message: { role: 'assistant', content: null, refusal: null },
      calls: [],
      logprobs: [],
      finish: 'stop',
    }
    choices.set(index, choice)
  }
  if (piece.finish_reason) choice.finish = piece.finish_reason
  choice.logprobs.push(...(piece.logprobs?.content ?? []))
  for (const [name, value] of Object.entries(piece.delta ?? piece.message ?? {})) {
    if (name === 'role' || value === null || typeof value === 'number') continue
    if (name === 'tool_calls') for (const call of value as LooseCall[]) addCall(choice.calls, call)
    else if (name === 'function_call') choice.message[name] = merged(choice.message[name], value as object)
    else choice.message[name] = joined(choice.message[name], value)
  }
}

/** Text and text is one text, list and list one list; text in parts counts as text. Otherwise the later value counts. */
function joined(before: unknown, value: unknown): unknown {
  if (Array.isArray(value)) {
    if (typeof before === 'string') return before + value.map(part => (part as { text?: string }).text ?? '').join('')
    return Array.isArray(before) ? [...(before as unknown[]), ...(value as unknown[])] : value
  }
  return typeof before === 'string' && typeof value === 'string' ? before + value : value
}

/** Two objects, member by member. */
function merged(before: unknown, piece: object): object {
  const known = new Map<string, unknown>(Object.entries((before ?? {}) as object))
  for (const [name, value] of Object.entries(piece)) known.set(name, joined(known.get(name), value))
  return Object.fromEntries(known)
}

/** A piece without an index belongs to the latest call; one that brings a name and an id of its own is a new call. */
function addCall(calls: Call[], piece: LooseCall): void {
  const { index, function: called = {}, ...rest } = piece
  const slot = index ?? (called.name ? calls.length : calls.at(-1)?.slot)
  const known = calls.findLast(entry => entry.slot === slot)?.call
  if (known === undefined || (called.name && rest['id'] && rest['id'] !== known['id'])) {
    calls.push({ slot, call: { type: 'function', ...rest, function: { ...called } } })
    return
  }
  if (called.name) known.function['name'] = called.name
  known.function['arguments'] = joined(known.function['arguments'], called.arguments ?? '')
}
