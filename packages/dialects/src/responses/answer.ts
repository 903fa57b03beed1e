import {
  UpstreamError,
  type ChunkChoice,
  type FinishReason,
  type Frame,
  type GatewayError,
  type ToolCallDelta,
  type Usage,
} from '@millrace/core'
import { TextFrame } from '@millrace/sse-core'
import type { Members } from '../dialect.ts'
import { toAnnotations } from './annotations.ts'
import { toResponseError } from './errors.ts'
import { toLogprobs } from './logprobs.ts'
import { createOutputItem, isSettled, type ItemKind, type ItemStatus, type OutputItem } from './output-item.ts'
import { toBytes, toRaw, toTextBytes } from './raw.ts'
import type { Progress } from './response-object.ts'
import { encodeDelta } from './text-buffer.ts'
import type { ToolNames } from './tool-names.ts'
import { toResponseUsage } from './usage.ts'

/** One answer as it comes: frames → events and, at the end, the response. All text is raw JSON. */
export interface Answer {
  /** @throws {UpstreamError} `upstream_malformed`: a tool call goes on behind its end */
  push(frame: Frame): void
  /** The good end, with the whole response. */
  end(): string
  /** The bad end. */
  fail(failure: GatewayError): void
  /** The events since they were last taken. */
  take(): Buffer
}

interface AnswerOptions {
  readonly names: ToolNames
  /** The response object, raw. */
  readonly toResponse: (progress: Progress) => string
  /** Whether the client wants to see how likely each token was. */
  readonly withLogprobs: boolean
  /** Whether the client wants reasoning to hold something that it can send back. */
  readonly withEncrypted: boolean
}

const INCOMPLETE: Partial<Readonly<Record<FinishReason, string>>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
}

/**
 * Some clients send reasoning back only with something in this place. All of it is in the summary, which they send as
 * well, so that there is nothing to put here.
 */
const IN_SUMMARY = 'in-summary'

const BLANK = /^\s*$/

/**
 * Only one item is open at a time, which every client can follow: what belongs to a later one waits until the open one is
 * whole. A tool call is as soon as another item begins and its arguments are JSON, or else at the end.
 */
export function createAnswer({ names, toResponse, withLogprobs, withEncrypted }: AnswerOptions): Answer {
  let events: Buffer[] = []
  let sequence = 0
  let started = false
  /** In the order in which they began; the first that is not done is open. */
  const items: OutputItem[] = []
  const done: string[] = []
  const calls: OutputItem[] = []
  let finish: FinishReason | null = null
  let usage: Usage | undefined

  function event(type: string, members: string): void {
    events.push(toBytes(`event: ${type}\ndata: {"type":"${type}",${members},"sequence_number":${sequence++}}\n\n`))
  }

  function start(): void {
    if (started) return
    started = true
    const response = toResponse({ status: 'in_progress', output: [] })
    event('response.created', `"response":${response}`)
    event('response.in_progress', `"response":${response}`)
  }

  function begin(kind: ItemKind, members: Members = {}): OutputItem {
    const item = createOutputItem(kind, items.length, members)
    items.push(item)
    if (item.index === done.length) open(item)
    else while (isOvertaken(items[done.length])) finishOpen('completed')
    return item
  }

  function isOvertaken(item: OutputItem | undefined): boolean {
    return item !== undefined && item.index < items.length - 1 && isSettled(item)
  }

  function open({ index, id, shape, place, members, before, text }: OutputItem): void {
    event('response.output_item.added', `"output_index":${index},"item":${shape.of(id, 'in_progress', '', members)}`)
    if (shape.part !== undefined) event(`${shape.part.event}.added`, `${place},"part":${shape.part.of('', [], [])}`)
    if (text.isEmpty()) return
    const waiting = toBytes(text.toRaw())
    events.push(encodeDelta(before, waiting, 0, waiting.length, sequence++))
  }

  /** Ends the open item and opens the next, where there is one already. */
  function finishOpen(status: ItemStatus): void {
    const item = items[done.length]!
    const { index, id, kind, shape, place, members, logprobs, annotations, name } = item
    const rest = item.input?.end()
    if (rest) say(item, rest)
    if (kind === 'function' && item.text.isEmpty() && status === 'completed') say(item, '{}')
    const text = item.text.toRaw()
    const more = kind === 'text' ? `,"logprobs":[${logprobs.join(',')}]` : name
    event(`${shape.event}.done`, `${place},"${shape.member}":"${text}"${more}`)
    const part = shape.part?.of(text, logprobs, annotations)
    if (part !== undefined) event(`${shape.part!.event}.done`, `${place},"part":${part}`)
    const whole = shape.of(id, status, part ?? text, members)
    event('response.output_item.done', `"output_index":${index},"item":${whole}`)
    done.push(whole)
    const next = items[done.length]
    if (next !== undefined) open(next)
  }

  function say(item: OutputItem, text: string): void {
    const bytes = toTextBytes(text)
    sayBytes(item, bytes, 0, bytes.length)
  }

  /** Adds text that is between the quotes of JSON already. */
  function sayBytes(item: OutputItem, source: Uint8Array, start: number, end: number): void {
    item.text.append(source, start, end)
    if (item.index === done.length) events.push(encodeDelta(item.before, source, start, end, sequence++))
  }

  function itemOf(kind: ItemKind): OutputItem {
    const last = items[items.length - 1]
    if (last?.kind === kind) return last
    return begin(kind, kind === 'reasoning' ? { encrypted_content: withEncrypted ? IN_SUMMARY : null } : {})
  }

  function sayArguments(item: OutputItem, piece: string): void {
    if (item.index < done.length) {
      if (BLANK.test(piece) || item.kind === 'custom') return
      throw new UpstreamError('upstream_malformed', 'The upstream went on with a tool call that was whole.')
    }
    const text = item.input === undefined ? piece : item.input.push(piece)
    if (text !== '') say(item, text)
  }

  function pushCall({ index, id, function: { name, arguments: piece } }: ToolCallDelta): void {
    if (id !== undefined && name !== undefined) {
      const tool = names.identify(name)
      calls[index] = begin(tool.kind, { call_id: id, name: tool.name, namespace: tool.namespace })
    }
    const item = calls[index]
    if (item !== undefined && piece) sayArguments(item, piece)
  }

  function pushText(frame: TextFrame): void {
    const { channel, bytes, textStart, textBytes } = frame
    const item = channel === 'arguments' ? calls[frame.call]! : itemOf(channel === 'content' ? 'text' : 'reasoning')
    // What has to be looked into, or has nowhere to go any more, is read; all else goes as it came.
    if (item.kind === 'custom' || item.index < done.length) sayArguments(item, frame.text)
    else sayBytes(item, bytes, textStart, textStart + textBytes)
  }

  function pushChoice({ delta, finish_reason, logprobs }: ChunkChoice): void {
    if (delta.reasoning_content) say(itemOf('reasoning'), delta.reasoning_content)
    if (delta.content) {
      const item = itemOf('text')
      const tokens = withLogprobs ? toLogprobs(logprobs) : []
      sayText(item, delta.content, tokens.map(toRaw))
    }
    if (delta.refusal) say(itemOf('refusal'), delta.refusal)
    for (const annotation of toAnnotations(delta['annotations'])) annotate(toRaw(annotation))
    for (const call of delta.tool_calls ?? []) pushCall(call)
    finish = finish_reason ?? finish
  }

  function sayText(item: OutputItem, text: string, logprobs: readonly string[]): void {
    if (logprobs.length === 0 || item.index !== done.length) return say(item, text)
    const bytes = toTextBytes(text)
    item.text.append(bytes, 0, bytes.length)
    item.logprobs.push(...logprobs)
    event('response.output_text.delta', `${item.place},"delta":${toRaw(text)},"logprobs":[${logprobs.join(',')}]`)
  }

  /** What is said of the text that came last. */
  function annotate(annotation: string): void {
    const item = items.at(-1)
    if (item?.kind !== 'text') return
    const at = item.annotations.push(annotation) - 1
    if (item.index !== done.length) return
    event('response.output_text.annotation.added', `${item.place},"annotation_index":${at},"annotation":${annotation}`)
  }

  return {
    push(frame) {
      start()
      if (frame instanceof TextFrame) {
        if (frame.choice === 0) pushText(frame)
        return
      }
      const { chunk } = frame
      usage = chunk.usage ?? usage
      for (const choice of chunk.choices) if (choice.index === 0) pushChoice(choice)
    },
    end() {
      start()
      const incompleteReason = finish === null ? undefined : INCOMPLETE[finish]
      while (done.length < items.length) {
        const item = items[done.length]!
        const isCut = incompleteReason !== undefined && (item === items.at(-1) || !isSettled(item))
        finishOpen(isCut ? 'incomplete' : 'completed')
      }
      const status = incompleteReason === undefined ? 'completed' : 'incomplete'
      const response = toResponse({
        status,
        output: done,
        ...(status === 'completed' && { completedAt: Math.floor(Date.now() / 1000) }),
        incompleteReason,
        usage: usage && toResponseUsage(usage),
      })
      event(`response.${status}`, `"response":${response}`)
      return response
    },
    fail(failure) {
      start()
      const response = toResponse({ status: 'failed', output: done, error: toResponseError(failure) })
      event('response.failed', `"response":${response}`)
    },
    take() {
      const taken = events
      events = []
      return taken.length === 1 ? taken[0]! : Buffer.concat(taken)
    },
  }
}
