import {
  isObject,
  parseJson,
  UpstreamError,
  type ChatChunk,
  type ChunkHead,
  type Delta,
  type FinishReason,
  type Frame,
  type JsonObject,
  type Usage,
} from '@millrace/core'
import { toChunk, toUsageChunk } from './encode.ts'
import { toFinishReason } from './finish-reason.ts'
import { piecesOf } from './pieces.ts'
import { learnTemplate, type Channel, type Template } from './template.ts'
import { createToolCalls, type ToolCalls } from './tool-calls.ts'
import { isFailure, toUpstreamError } from './upstream-failure.ts'
import { usageOf } from './usage.ts'
import type { SseEvent } from './split.ts'

const MAX_CHOICES = 128
/** Templates that were learned and never used before learning is given up: each chunk of this upstream looks different. */
const MAX_VAIN_TEMPLATES = 4

/** Members of a chunk that are handed on as they came. */
const EXTENSIONS = ['system_fingerprint', 'service_tier', 'citations'] as const

interface Choice {
  readonly index: number
  readonly tools: ToolCalls
  /** The role went out. */
  opened: boolean
  /** Something came as a delta. */
  streamed: boolean
  finish: FinishReason | undefined
}

/** What an event said, where that is one piece of a text and nothing else. */
interface Text {
  readonly channel: Channel
  readonly text: string
  readonly emitted: ChatChunk
}

export interface Normaliser {
  /** One event of the upstream's stream. @throws {UpstreamError} what it reports, or `upstream_malformed` */
  event(event: SseEvent): void
  /** A whole answer, or any other JSON that came in place of a stream. @throws {UpstreamError} */
  document(value: unknown): void
  /** The frames since the last call, maybe none. */
  take(): Frame[]
  /** Every choice has its reason to end: what may still come is usage and `[DONE]`. */
  isFinishing(): boolean
  /** `[DONE]` was seen: nothing more is of interest. */
  isDone(): boolean
  /** The stream is over, in good order: adds what is due at the end. @throws {UpstreamError} where the answer is not whole */
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
  let extensions: Record<string, unknown> | undefined
  let template: Template | undefined
  let vainTemplates = 0
  let started = false
  let done = false

  function choiceAt(index: unknown): Choice {
    const at = index ?? 0
    if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= MAX_CHOICES) {
      throw malformed(`a choice with an index outside 0…${MAX_CHOICES - 1}`)
    }
    let choice = choices.get(at)
    if (choice === undefined) {
      choice = { index: at, tools: createToolCalls(), opened: false, streamed: false, finish: undefined }
      choices.set(at, choice)
    }
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

  function readChoice(raw: unknown): Text | undefined {
    if (!isObject(raw)) return undefined
    const { index, delta, finish_reason: word, logprobs } = raw
    const choice = choiceAt(index)
    const said = isObject(delta) ? delta : undeltaed(raw, choice)
    const finish = typeof word === 'string' && word !== '' && word !== 'null' ? toFinishReason(word) : undefined
    if (finish === 'error') throw reportedByFinish(String(word), said)
    const pieces = piecesOf(said, choice.tools)
    // Probabilities belong to the text beside them; with no text they still have to go out.
    if (logprobs != null && pieces.length === 0) pieces.push({ delta: {} })
    if (pieces.length > 0) open(choice)
    choice.streamed ||= said === delta && pieces.length > 0
    const [first, ...more] = pieces.map((piece, at) =>
      emit(choice, piece.delta, null, at === pieces.length - 1 ? logprobs : undefined),
    )
    choice.finish ??= finish
    const { channel, text } = pieces[0] ?? {}
    if (first === undefined || more.length > 0 || channel === undefined || text === undefined) return undefined
    return logprobs == null && choice.finish === undefined ? { channel, text, emitted: first } : undefined
  }

  /** Takes in what an event or a document says. */
  function read(value: JsonObject): Text | undefined {
    if (isFailure(value)) throw toUpstreamError(value)
    const latest = usageOf(value)
    if (latest !== undefined && !(usage !== undefined && isZero(latest))) usage = latest
    for (const name of EXTENSIONS) if (value[name] != null) (extensions ??= {})[name] ??= value[name]
    const { choices: list, object } = value
    started ||= Array.isArray(list) || latest !== undefined || object === 'chat.completion.chunk'
    if (!Array.isArray(list)) return undefined
    const texts = list.map(readChoice)
    return texts.length === 1 && latest === undefined ? texts[0] : undefined
  }

  function allFinished(): boolean {
    for (const { finish } of choices.values()) if (finish === undefined) return false
    return choices.size > 0
  }

  return {
    isFinishing: allFinished,
    isDone: () => done,
    event({ data, type, status }) {
      if (done) return
      if (type === '' && template !== undefined) {
        const frame = template.match(data)
        if (frame !== undefined) {
          vainTemplates = 0
          frames.push(frame)
          return
        }
      }
      const raw = data.toString().trim()
      const value = parseJson(raw)
      if (type === 'error' || status >= 400) throw toUpstreamError(value ?? raw, status === 0 ? {} : { status })
      if (raw === '' || type === 'ping') return
      if (raw === '[DONE]') {
        done = true
        return
      }
      if (isFailureList(value)) throw toUpstreamError(value)
      if (!isObject(value)) throw malformed('an event that is not a JSON object')
      if (value['type'] === 'ping') return
      const text = read(value)
      template = undefined
      if (text === undefined || vainTemplates === MAX_VAIN_TEMPLATES) return
      template = learnTemplate(data, value, text.text, text.channel, text.emitted)
      vainTemplates++
    },
    document(value) {
      if (isFailureList(value)) throw toUpstreamError(value)
      if (isObject(value)) read(value)
      if (choices.size === 0) throw badResponse('answered with JSON that is no completion')
      done = true
    },
    take() {
      const taken = frames
      frames = []
      return taken
    },
    end() {
      if (!done && !allFinished()) {
        if (!started) throw badResponse('sent an empty answer')
        throw new UpstreamError('upstream_truncated', 'The upstream stopped before the end of its answer.')
      }
      if (choices.size === 0) choiceAt(0)
      for (const { tools } of choices.values()) tools.end()
      for (const choice of choices.values()) {
        open(choice)
        emit(choice, {}, endOf(choice))
      }
      if (usage !== undefined) frames.push({ chunk: toUsageChunk(head, usage) })
    },
  }
}

/** Where tools were called that is the reason, whatever the upstream says of a normal end; and no reason stands for calls that never came. */
function endOf({ finish = 'stop', tools }: Choice): FinishReason {
  if (finish === 'stop' && tools.opened() > 0) return 'tool_calls'
  return finish === 'tool_calls' && tools.opened() === 0 ? 'stop' : finish
}

/** What a choice without a delta says. A whole message behind a stream of deltas says the same again. */
function undeltaed({ message, text }: JsonObject, { streamed }: Choice): JsonObject {
  if (isObject(message)) return streamed ? {} : message
  return typeof text === 'string' ? { content: text } : {}
}

function isFailureList(value: unknown): boolean {
  return Array.isArray(value) && isObject(value[0]) && isFailure(value[0])
}

function isZero(usage: Usage): boolean {
  return usage.prompt_tokens === 0 && usage.completion_tokens === 0
}

/** `error_finish` and its like: what stands in the content is the upstream's error text. */
function reportedByFinish(word: string, { content }: JsonObject): UpstreamError {
  const words = typeof content === 'string' ? content.trim() : ''
  return toUpstreamError({ message: words || `The upstream ended its answer with "${word}".`, type: word })
}

function badResponse(what: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', `The upstream ${what}.`)
}

function malformed(what: string): UpstreamError {
  return new UpstreamError('upstream_malformed', `The upstream sent ${what}.`)
}
