import {
  isObject,
  parseJson,
  textOf,
  UpstreamError,
  type ChunkHead,
  type Delta,
  type FinishReason,
  type Frame,
  type JsonObject,
  type Usage,
} from '@millrace/core'
import { createFramer, type Channel } from '@millrace/sse-core'
import { malformed } from './failures.ts'
import type { Headers } from './message-decoder.ts'
import { NO_REPORT, readReport, type Report } from './report.ts'
import { createTextFrames, toTextDelta } from './text-frames.ts'
import { createToolUses } from './tool-uses.ts'
import { contextPercentageOf, estimateUsage, toUsage } from './usage.ts'

export interface AnswerOptions {
  readonly head: ChunkHead
  /** The model that was asked for; empty where the service chooses. */
  readonly model: string
  /** The names of tools that were sent → those that the client used, where they differ. */
  readonly toolNames: ReadonlyMap<string, string>
  /** What to throw for a failure that the service reports in the middle of its answer. */
  readonly toError: (report: Report) => Error
}

export interface Answer {
  /** One message. @throws {UpstreamError} what it reports, or `upstream_malformed` */
  message(headers: Headers, payload: Buffer): void
  /** The frames since the last call, maybe none. */
  take(): Frame[]
  /** The service has said why it ends: what may still come are numbers. */
  isFinishing(): boolean
  /** Nothing was said, and no reason given for that. */
  isEmpty(): boolean
  /** The body is over, in good order: adds what is due at the end. @throws {UpstreamError} where the answer is not whole */
  end(): void
}

/** The model could take no more: what it was given alone, where it said nothing. */
const WINDOW_EXCEEDED = 'MODEL_CONTEXT_WINDOW_EXCEEDED'

/** What `stopReason` stands for where it is not a normal end. */
const REASONS: ReadonlyMap<string, FinishReason | 'error'> = new Map([
  ['MAX_TOKENS', 'length'],
  [WINDOW_EXCEEDED, 'length'],
  ['CONTENT_FILTERED', 'content_filter'],
  ['GUARDRAIL_INTERVENED', 'content_filter'],
  ['MALFORMED_TOOL_USE', 'error'],
  ['MALFORMED_MODEL_OUTPUT', 'error'],
] as const)

/** The exception that ends an answer which has become too long. */
const TOO_LONG = 'ContentLengthExceededException'

/**
 * Events → frames that keep the stream contract. The end of the body is the end of the answer, since no event is promised
 * to come last; why it ended is told by what came. Events of unknown kinds say nothing. Pure state: no I/O and no clock.
 */
export function createAnswer({ head, model, toolNames, toError }: AnswerOptions): Answer {
  const framer = createFramer(head)
  const tools = createToolUses(toolNames)
  /** By channel, or by the index of a tool call. */
  const textFrames = new Map<Channel | number, (text: string) => Frame>()
  let frames: Frame[] = []
  let said = false
  let textBytes = 0
  let served = model
  let stopReason = ''
  let isTooLong = false
  let usage: Usage | undefined
  let contextPercentage: number | undefined

  function emit(delta: Delta): void {
    said = true
    for (const frame of framer.delta(delta)) frames.push(frame)
  }

  /** @param call the index of the tool call, where the text is its arguments */
  function emitText(channel: Channel, text: string, call = 0): void {
    textBytes += Buffer.byteLength(text)
    // The first frame has the role before it.
    if (!said) return emit(toTextDelta(channel, text, call))
    const key = channel === 'arguments' ? call : channel
    let toFrame = textFrames.get(key)
    if (toFrame === undefined) textFrames.set(key, (toFrame = createTextFrames(head, channel, call)))
    frames.push(toFrame(text))
  }

  function readContent({ content, modelId }: JsonObject): void {
    served = textOf(modelId) || served
    if (typeof content === 'string' && content !== '') emitText('content', content)
  }

  function readReasoning({ text }: JsonObject): void {
    if (typeof text === 'string' && text !== '') emitText('reasoning_content', text)
  }

  function readToolUse(event: JsonObject): void {
    for (const call of tools.push(event)) {
      if (call.id !== undefined) emit({ tool_calls: [call] })
      else emitText('arguments', call.function.arguments ?? '', call.index)
    }
  }

  function readNumbers(event: JsonObject): void {
    const counts = isObject(event['tokenUsage']) ? event['tokenUsage'] : {}
    stopReason = textOf(event['stopReason']) || stopReason
    usage = toUsage(counts) ?? usage
    contextPercentage = contextPercentageOf(event) ?? contextPercentageOf(counts) ?? contextPercentage
  }

  function readInvalidState({ reason, message }: JsonObject): never {
    throw toError({
      ...NO_REPORT,
      name: 'ValidationException',
      message: `Invalid state ${textOf(reason)}: ${textOf(message)}`,
    })
  }

  /** What each kind of event is for; those that are not here say nothing of the answer. */
  const readers: ReadonlyMap<string | undefined, (event: JsonObject) => void> = new Map([
    ['assistantResponseEvent', readContent],
    ['codeEvent', readContent],
    ['reasoningContentEvent', readReasoning],
    ['toolUseEvent', readToolUse],
    ['metadataEvent', readNumbers],
    ['contextUsageEvent', readNumbers],
    ['invalidStateEvent', readInvalidState],
  ])

  function readException(name: string, payload: Buffer, words = ''): void {
    isTooLong = said && name === TOO_LONG
    if (isTooLong) return
    const raw = payload.toString()
    const report = readReport(parseJson(raw) ?? raw, name)
    throw toError({ ...report, message: report.message || words })
  }

  /** Why the answer ends. @throws {UpstreamError} it is not whole */
  function toReason(): FinishReason {
    const told = isTooLong ? 'length' : REASONS.get(stopReason)
    if (told === 'error') {
      throw toError({
        ...NO_REPORT,
        name: 'InternalServerException',
        message: `The upstream ended with ${stopReason}.`,
      })
    }
    if (stopReason === WINDOW_EXCEEDED && !said) throw toError({ ...NO_REPORT, reason: 'PROMPT_TOO_LONG' })
    if (told === 'length' || contextPercentage === 100 || tools.isCut()) return 'length'
    if (told !== undefined) return told
    if (tools.isOpen()) {
      throw new UpstreamError('upstream_truncated', 'The upstream stopped in the middle of a tool call.')
    }
    return tools.count() > 0 ? 'tool_calls' : 'stop'
  }

  return {
    message(headers, payload) {
      if (isTooLong) return
      const kind = headers.get(':message-type')
      if (kind === 'event') {
        const read = readers.get(headers.get(':event-type'))
        if (read === undefined) return
        const event = parseJson(payload.toString())
        if (!isObject(event)) throw malformed('an event that is not a JSON object')
        read(event)
      } else if (kind === 'exception') readException(headers.get(':exception-type') ?? '', payload)
      else if (kind === 'error') {
        readException(headers.get(':error-code') ?? '', payload, headers.get(':error-message'))
      } else throw malformed('a message of no known type')
    },
    take() {
      const taken = frames
      frames = []
      return taken
    },
    isFinishing: () => stopReason !== '',
    isEmpty: () => !said && !REASONS.has(stopReason),
    end() {
      const reason = toReason()
      const counted = usage ?? estimateUsage({ contextPercentage, model: served, textBytes })
      for (const frame of framer.end(reason, counted, usage === undefined)) frames.push(frame)
    },
  }
}
