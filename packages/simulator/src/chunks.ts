import type { Ask, DataEvent } from './scenario.ts'
import { textPieces } from './words.ts'

/** The same in every answer, so that answers can be kept and compared byte by byte. */
export const HEAD = { id: 'chatcmpl-simulated0001', created: 1_767_225_600 } as const

/** What is new in one choice. */
export interface Part {
  readonly delta: object
  readonly index?: number
  readonly logprobs?: object
}

/** Token counts with `completion` tokens so far. */
export function toUsage(ask: Ask, completion: number, reasoning = 0): Record<string, unknown> {
  const prompt = ask.options.number('prompt', 12)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}

const USAGE_MODES = ['end', 'finish', 'each', 'none', 'negative', 'huge', 'xgroq', 'before'] as const

/** A chunk as the service itself writes it. */
export function toChunk(ask: Ask, choices: readonly object[], more: object = {}): DataEvent {
  return {
    data: {
      id: HEAD.id,
      object: 'chat.completion.chunk',
      created: HEAD.created,
      model: ask.model,
      system_fingerprint: 'fp_simulated',
      choices,
      ...more,
    },
  }
}

/** A chunk with one choice that carries `delta`. */
export function toDelta(ask: Ask, delta: object, finish: string | null = null, more: object = {}): DataEvent {
  return toChunk(ask, [toChoice(0, delta, finish)], more)
}

/** The whole stream, `[DONE]` excepted, the way the service itself sends it: roles, parts, finishes, usage. */
export function* toStream(
  ask: Ask,
  parts: Iterable<Part>,
  shape: { readonly choices?: number; readonly finish?: string } = {},
): Generator<DataEvent> {
  const mode = ask.options.oneOf('usage', USAGE_MODES, ask.includeUsage ? 'end' : 'none')
  const finish = ask.options.text('finish', shape.finish ?? 'stop')
  const indexes = Array.from({ length: shape.choices ?? 1 }, (_, index) => index)
  let count = 0
  let reasoning = 0
  const usage = (): object => toUsage(ask, count, reasoning)
  const beside = (): object => (mode === 'end' ? { usage: null } : mode === 'each' ? { usage: usage() } : {})

  for (const index of indexes) {
    yield toChunk(ask, [toChoice(index, { role: 'assistant', content: '', refusal: null }, null)], beside())
  }
  for (const part of parts) {
    count++
    if (isThought(part.delta)) reasoning++
    yield toChunk(ask, [toChoice(part.index ?? 0, part.delta, null, part.logprobs ?? null)], beside())
  }
  if (mode === 'before') yield toChunk(ask, [], { usage: usage() })
  for (const index of indexes) {
    const last = index === indexes.length - 1
    const more = last && mode === 'finish' ? { usage: usage() } : last && mode === 'xgroq' ? xGroq(usage()) : beside()
    yield toChunk(ask, [toChoice(index, {}, finish)], more)
  }
  if (mode === 'end') yield toChunk(ask, [], { usage: usage() })
  if (mode === 'negative') {
    yield toChunk(ask, [], { usage: { prompt_tokens: -12, completion_tokens: -1, total_tokens: -13 } })
  }
  if (mode === 'huge') {
    yield toChunk(ask, [], { usage: { prompt_tokens: 2 ** 60, completion_tokens: 2 ** 60, total_tokens: 2 ** 61 } })
  }
}

function isThought(delta: { readonly reasoning?: unknown; readonly reasoning_content?: unknown }): boolean {
  return Boolean(delta.reasoning ?? delta.reasoning_content)
}

function toChoice(index: number, delta: object, finish: string | null, logprobs: object | null = null): object {
  return { index, delta, logprobs, finish_reason: finish }
}

function xGroq(usage: object): object {
  return { x_groq: { id: 'req_simulated', usage } }
}

/** One part per piece of text: content, unless another `member` of the delta is named. */
export function* toParts(pieces: Iterable<string>, member = 'content'): Generator<Part> {
  for (const piece of pieces) yield { delta: { [member]: piece } }
}

/** The ordinary answer: text, in as many choices as were asked for, word by word in turns. */
export function* toText(ask: Ask, choices: number = ask.choices): Generator<DataEvent> {
  yield* toStream(ask, choices === 1 ? toParts(textPieces(ask.options)) : interleaved(ask, choices), { choices })
}

function* interleaved(ask: Ask, choices: number): Generator<Part> {
  const texts = Array.from({ length: choices }, (_, index) => [...textPieces(ask.options, index)])
  const longest = Math.max(...texts.map(text => text.length))
  for (let at = 0; at < longest; at++) {
    for (const [index, text] of texts.entries()) {
      const content = text[at]
      if (content !== undefined) yield { index, delta: { content } }
    }
  }
}
