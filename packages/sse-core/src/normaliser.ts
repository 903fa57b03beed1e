import {
  toSafeText,
  UpstreamError,
  type ChatChunk,
  type ChunkHead,
  type Delta,
  type FinishReason,
  type Frame,
  type Usage,
} from '@millrace/core'
import { toChunk, toUsageChunk } from './encode.ts'
import { toFinishReason } from './finish-reason.ts'
import { isObject, parseJson, type Json } from './json.ts'
import { learnTemplate, type Channel, type Template } from './template.ts'
import { createToolCalls, type ToolCalls } from './tool-calls.ts'
import { isFailure, toUpstreamError } from './upstream-failure.ts'
import { usageOf } from './usage.ts'
import type { SseEvent } from './split.ts'

const MAX_CHOICES = 128
/** Templates that were learned and never used before learning is given up: each chunk of this upstream looks different. */
const MAX_VAIN_TEMPLATES = 4

/** Members of a delta and of a chunk that are handed on as they came. */
const DELTA_EXTENSIONS = ['annotations', 'audio', 'reasoning_details'] as const
const CHUNK_EXTENSIONS = ['system_fingerprint', 'service_tier', 'citations'] as const

interface Choice {
  readonly index: number
  readonly tools: ToolCalls
  /** The role went out. */
  opened: boolean
  finish: FinishReason | undefined
}

/** What a piece of the answer says in one choice, in the order in which it goes out. */
interface Piece {
  readonly delta: Delta
  /** Where the delta is nothing but text: which, and the text. */
  readonly channel?: Channel
  readonly text?: string
}

export interface Normaliser {
  /** One event of the upstream's stream. @throws {UpstreamError} what it reports, or `upstream_malformed` */
  event(event: SseEvent): void
  /** A whole answer, or any other JSON that came in place of a stream. @throws {UpstreamError} */
  document(value: unknown): void
  /** The frames since the last call; empty where there is nothing to send. */
  take(): Frame[]
  /** Every choice has its reason to end: what may still come is usage and `[DONE]`. */
  readonly finishing: boolean
  /** `[DONE]` was seen: nothing more is of interest. */
  readonly done: boolean
  /** Whether anything was understood at all. */
  readonly started: boolean
  /** The stream is over, in good order: adds what is due at the end. @throws {UpstreamError} `upstream_truncated` where it was not whole */
  end(): void
}

/**
 * Events of any OpenAI-like stream → frames that keep the stream contract (§2): one id and role, new text only, tool
 * calls sorted, reasons of the closed set. Reasons and usage are held back to the end, so that late words still count.
 * Pure state: no I/O and no clock.
 */
export function createNormaliser(head: ChunkHead): Normaliser {
  const choices = new Map<number, Choice>()
  let frames: Frame[] = []
  let usage: Usage | undefined
  let extensions: Json | undefined
  let template: Template | undefined
  let templateChoice: Choice | undefined
  let templateTool = 0
  let vainTemplates = 0
  let started = false
  let done = false

  function choiceAt(index: unknown): Choice {
    const at = index ?? 0
    if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= MAX_CHOICES) {
      throw malformed(`a choice with an index outside 0…${MAX_CHOICES - 1}`)
    }
    let choice = choices.get(at)
    if (choice === undefined)
      choices.set(at, (choice = { index: at, tools: createToolCalls(), opened: false, finish: undefined }))
    return choice
  }

  function emit(choice: Choice, delta: Delta, finish_reason: FinishReason | null, logprobs?: unknown): ChatChunk {
    const emitted = { index: choice.index, delta, ...(logprobs == null ? undefined : { logprobs }), finish_reason }
    const chunk = toChunk(head, emitted, extensions)
    frames.push({ chunk })
    return chunk
  }

  function open(choice: Choice): void {
    if (choice.opened) return
    choice.opened = true
    emit(choice, { role: 'assistant', content: '' }, null)
  }

  function readChoice(raw: unknown): { choice: Choice; emitted: ChatChunk[]; pieces: Piece[] } | undefined {
    if (!isObject(raw)) return undefined
    const choice = choiceAt(raw['index'])
    const delta = deltaOf(raw, choice)
    const word = raw['finish_reason']
    const finish = typeof word === 'string' && word !== '' && word !== 'null' ? toFinishReason(word) : undefined
    if (finish === 'error') throw reportedByFinish(String(word), delta)
    const pieces = piecesOf(delta, choice)
    const { logprobs } = raw
    // Probabilities belong to the text beside them; with no text they still have to go out.
    if (logprobs != null && pieces.length === 0) pieces.push({ delta: {} })
    if (pieces.length > 0) open(choice)
    const emitted = pieces.map((piece, at) =>
      emit(choice, piece.delta, null, at === pieces.length - 1 ? logprobs : undefined),
    )
    choice.finish ??= finish
    return { choice, emitted, pieces }
  }

  /** What an event says; returns its one text where that is all it says, for a template to be made of it. */
  function read(value: Json): { choice: Choice; emitted: ChatChunk; channel: Channel; text: string } | undefined {
    if (isFailure(value)) throw toUpstreamError(value)
    const latest = usageOf(value)
    if (latest !== undefined && !(usage !== undefined && isZero(latest))) usage = latest
    for (const name of CHUNK_EXTENSIONS) if (value[name] != null) (extensions ??= {})[name] ??= value[name]
    const { choices: list } = value
    if (!Array.isArray(list) || list.length === 0) {
      if (value['object'] === 'chat.completion.chunk' || Array.isArray(list) || latest !== undefined) started = true
      return undefined
    }
    started = true
    const results = list.map(readChoice)
    const [only] = results
    const [piece] = only?.pieces ?? []
    if (results.length !== 1 || only?.pieces.length !== 1 || piece?.channel === undefined) return undefined
    const plain =
      latest === undefined && only.choice.finish === undefined && only.emitted[0]!.choices[0]!.logprobs === undefined
    return plain
      ? { choice: only.choice, emitted: only.emitted[0]!, channel: piece.channel, text: piece.text! }
      : undefined
  }

  function learn(data: Buffer, value: Json): void {
    const plain = read(value)
    template = undefined
    if (plain === undefined || vainTemplates >= MAX_VAIN_TEMPLATES) return
    template = learnTemplate(data, value, plain.text, plain.channel, plain.emitted)
    templateChoice = plain.choice
    templateTool = plain.emitted.choices[0]!.delta.tool_calls?.[0]?.index ?? 0
    vainTemplates++
  }

  return {
    get finishing() {
      return choices.size > 0 && [...choices.values()].every(choice => choice.finish !== undefined)
    },
    get done() {
      return done
    },
    get started() {
      return started
    },
    event({ data, type, status }) {
      if (done) return
      if (type === '' && template !== undefined) {
        const frame = template.match(data)
        if (frame !== undefined) {
          vainTemplates = 0
          if (template.channel === 'arguments') templateChoice!.tools.append(templateTool, frame)
          frames.push(frame)
          return
        }
      }
      const text = data.toString().trim()
      if (text === '' || type === 'ping') return
      if (text === '[DONE]') {
        done = started = true
        return
      }
      const reported = type === 'error' || status >= 400
      const value = parseJson(text)
      if (reported) throw toUpstreamError(value ?? text, status === 0 ? {} : { status })
      if (Array.isArray(value) && isObject(value[0]) && isFailure(value[0])) throw toUpstreamError(value)
      if (!isObject(value)) throw malformed('an event that is not a JSON object')
      if (value['type'] === 'ping') return
      learn(data, value)
    },
    document(value) {
      if (Array.isArray(value) && isObject(value[0]) && isFailure(value[0])) throw toUpstreamError(value)
      if (isObject(value)) read(value)
      if (choices.size === 0)
        throw new UpstreamError('upstream_bad_response', 'The upstream answered with JSON that is no completion.')
      done = true
    },
    take() {
      if (frames.length === 0) return frames
      const taken = frames
      frames = []
      return taken
    },
    end() {
      if (!done && ![...choices.values()].some(choice => choice.finish !== undefined)) throw truncated(started)
      if (choices.size === 0) choiceAt(0)
      for (const choice of choices.values()) {
        if (!done && choice.finish === undefined) throw truncated(started)
        choice.tools.end()
        open(choice)
        emit(choice, {}, endOf(choice))
      }
      if (usage !== undefined) frames.push({ chunk: toUsageChunk(head, usage) })
    },
  }
}

/** Where tools were called that is the reason, whatever the upstream says of a normal end; and no reason stands for calls that never came. */
function endOf({ finish = 'stop', tools }: Choice): FinishReason {
  if (finish === 'stop' && tools.opened > 0) return 'tool_calls'
  return finish === 'tool_calls' && tools.opened === 0 ? 'stop' : finish
}

function deltaOf(raw: Json, choice: Choice): Json {
  if (isObject(raw['delta'])) return raw['delta']
  // A whole message behind a stream of deltas says the same again (Perplexity).
  if (isObject(raw['message'])) return choice.opened ? {} : raw['message']
  return typeof raw['text'] === 'string' ? { content: raw['text'] } : {}
}

/** The pieces of a delta: reasoning before content, never both in one, then refusal, tool calls and what is handed on. */
function piecesOf(delta: Json, { tools }: Choice): Piece[] {
  const pieces: Piece[] = []
  const add = (channel: 'content' | 'reasoning_content', text: string): void => {
    if (text !== '') pieces.push({ delta: { [channel]: text }, channel, text })
  }
  const { content } = delta
  add('reasoning_content', reasoningOf(delta))
  add('content', typeof content === 'string' ? content : textOf(content))
  if (typeof delta['refusal'] === 'string' && delta['refusal'] !== '')
    pieces.push({ delta: { refusal: delta['refusal'] } })
  const called = delta['tool_calls'] ?? []
  for (const raw of [
    ...(Array.isArray(called) ? called : [called]),
    ...(isObject(delta['function_call']) ? [{ index: 0, ...delta['function_call'] }] : []),
  ]) {
    for (const call of tools.push(raw)) {
      const text = call.function.arguments
      const piece = { delta: { tool_calls: [call] } }
      pieces.push(call.id === undefined && text !== undefined ? { ...piece, channel: 'arguments', text } : piece)
    }
  }
  for (const name of DELTA_EXTENSIONS) {
    const value = delta[name]
    if (value != null && !(Array.isArray(value) && value.length === 0)) pieces.push({ delta: { [name]: value } })
  }
  return pieces
}

/** Reasoning under whichever name; of several the first that holds text. */
function reasoningOf(delta: Json): string {
  for (const name of ['reasoning_content', 'reasoning', 'thinking']) {
    const value = delta[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return thinkingOf(delta['content'])
}

/** Mistral's content as a list: its text parts. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content.map(part => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

/** Mistral's content as a list: its thinking parts, whose text is a list again. */
function thinkingOf(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content
    .map(part =>
      !isObject(part) ? '' : typeof part['thinking'] === 'string' ? part['thinking'] : textOf(part['thinking']),
    )
    .join('')
}

function isZero(usage: Usage): boolean {
  return usage.prompt_tokens === 0 && usage.completion_tokens === 0
}

/** `error_finish` and its like: what stands in the content is the upstream's error text (wire/qwen.md §3.7 c). */
function reportedByFinish(word: string, delta: Json): UpstreamError {
  const words = typeof delta['content'] === 'string' ? delta['content'] : ''
  return toUpstreamError({ message: toSafeText(words) || `The upstream ended its answer with "${word}".`, type: word })
}

function truncated(started: boolean): UpstreamError {
  return started
    ? new UpstreamError('upstream_truncated', 'The upstream stopped before the end of its answer.')
    : new UpstreamError('upstream_bad_response', 'The upstream sent an empty answer.')
}

function malformed(what: string): UpstreamError {
  return new UpstreamError('upstream_malformed', `The upstream sent ${what}.`)
}
