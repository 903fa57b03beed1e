import { isDeepStrictEqual } from 'node:util'
import type { ChunkHead, Frame } from '@millrace/core'
import { z } from 'zod'
import { parseClientStream } from './client-stream.ts'

const index = z.int().min(0).max(127)
const text = z.string().min(1)
const count = z.int().min(0)

const opening = z.strictObject({
  index,
  id: text,
  type: z.literal('function'),
  function: z.strictObject({ name: text, arguments: z.string() }),
  extra_content: z.looseObject({}).optional(),
})
const piece = z.strictObject({ index, function: z.strictObject({ arguments: text }) })

const delta = z.strictObject({
  role: z.literal('assistant').optional(),
  content: z.string().nullable().optional(),
  reasoning_content: text.optional(),
  refusal: text.optional(),
  tool_calls: z
    .array(z.union([opening, piece]))
    .min(1)
    .optional(),
  function_call: z.strictObject({ name: text.optional(), arguments: z.string().optional() }).optional(),
  annotations: z.array(z.unknown()).min(1).optional(),
  audio: z.looseObject({}).optional(),
  reasoning_details: z.array(z.unknown()).min(1).optional(),
})

const choice = z.strictObject({
  index,
  delta,
  logprobs: z.looseObject({}).nullable().optional(),
  finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']).nullable(),
})

/** Counts as ledgers and clients take them; the total is never less than its parts. */
export const ContractUsage: z.ZodType = z
  .looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
  .refine(usage => usage.total_tokens >= usage.prompt_tokens + usage.completion_tokens, 'total below its parts')

/** One chunk as clients may get it, with no member that is not promised. */
const ContractChunk = z.strictObject({
  id: text,
  object: z.literal('chat.completion.chunk'),
  created: z.int().min(1_000_000_000).max(99_999_999_999),
  model: text,
  choices: z.array(choice).max(1),
  usage: ContractUsage.nullable().optional(),
  system_fingerprint: z.string().optional(),
  service_tier: z.string().optional(),
  citations: z.array(z.unknown()).optional(),
})
type ContractChunk = z.infer<typeof ContractChunk>
type ContractChoice = ContractChunk['choices'][number]

/** What was seen of one choice so far. */
interface Seen {
  readonly ids: string[]
  legacyCall: boolean
  textBegan: boolean
  finish: ContractChoice['finish_reason']
}

export interface StreamOptions {
  readonly head: ChunkHead
  /** Whether the stream came to its good end; of one that failed no end is demanded. */
  readonly whole: boolean
}

/**
 * Every way in which the frames break the stream contract (its §2), each as `chunk N: what`, in order; none for a good
 * stream. The usage is taken for granted as the last frame whether or not the client asked for it: leaving it out is the
 * gateway's work.
 */
export function breachesOf(frames: readonly Frame[], { head, whole }: StreamOptions): string[] {
  const breaches: string[] = []
  const choices = new Map<number, Seen>()
  for (const [at, frame] of frames.entries()) {
    const say = (breach: string): void => void breaches.push(`chunk ${at}: ${breach}`)
    const { data: chunk, error } = ContractChunk.safeParse(frame.chunk)
    if (chunk === undefined) {
      for (const { path, message } of error.issues) say(`${path.join('.')}: ${message}`)
      continue
    }
    checkHead(chunk, head, say)
    checkUsage(chunk, { isLast: at === frames.length - 1, includeUsage: head.includeUsage }, say)
    checkBytes(frame, say)
    for (const choice of chunk.choices) checkChoice(choice, choices, say)
  }
  if (!whole) return breaches
  if (choices.size === 0) breaches.push('the end: no choice ever came')
  for (const [index, { finish }] of choices) {
    if (finish === null) breaches.push(`the end: choice ${index} never finished`)
  }
  return breaches
}

type Say = (breach: string) => void

function checkHead(chunk: ContractChunk, head: ChunkHead, say: Say): void {
  for (const name of ['id', 'created', 'model'] as const) {
    if (chunk[name] !== head[name]) say(`${name} is not what it was`)
  }
}

function checkUsage(
  { choices, usage }: ContractChunk,
  { isLast, includeUsage }: { readonly isLast: boolean; readonly includeUsage: boolean },
  say: Say,
): void {
  if (choices.length === 0) {
    if (usage == null) say('neither a choice nor usage')
    if (!isLast) say('usage before the end')
  } else if (usage != null) say('usage beside a choice')
  else if (includeUsage && usage !== null) say('no `usage: null`, though usage was asked for')
  else if (!includeUsage && usage !== undefined) say('`usage` is there, though it was not asked for')
}

/** Ready-made bytes go out as they are: they must be one event, say what the chunk says, and be nothing but text. */
function checkBytes({ bytes, chunk }: Frame, say: Say): void {
  if (bytes === undefined) return
  try {
    const { events } = parseClientStream(bytes.toString())
    if (events.length !== 1 || !isDeepStrictEqual(events[0], chunk)) say('the bytes do not say what the chunk says')
  } catch (error) {
    say(`the bytes are no good event: ${(error as Error).message}`)
  }
  const { delta, finish_reason } = chunk.choices[0] ?? { delta: {}, finish_reason: null }
  const [name, ...others] = Object.keys(delta)
  const plain =
    name === 'content' || name === 'reasoning_content' || delta.tool_calls?.every(({ id }) => id === undefined)
  if (!plain || others.length > 0 || finish_reason !== null) say('the bytes hold more than text')
}

function checkChoice(
  { index, delta, finish_reason, logprobs }: ContractChoice,
  choices: Map<number, Seen>,
  say: Say,
): void {
  const seen = choices.get(index) ?? { ids: [], legacyCall: false, textBegan: false, finish: null }
  const isFirst = !choices.has(index)
  choices.set(index, seen)
  if (isFirst && delta.role === undefined) say(`choice ${index} begins without a role`)
  if (!isFirst && delta.role !== undefined) say(`choice ${index} has a second role`)
  if (seen.finish !== null) say(`choice ${index} goes on behind its finish`)
  if (delta.content === null && seen.textBegan) say('content is null though text flows')
  if (delta.content) seen.textBegan = true
  if (delta.content && delta.reasoning_content) say('reasoning and content in one delta')
  if (!isFirst && Object.keys(delta).length === 0 && finish_reason === null && logprobs == null) say('says nothing')
  for (const call of delta.tool_calls ?? []) checkCall(call, seen.ids, say)
  if (delta.function_call !== undefined) {
    if ((delta.function_call.name === undefined) !== seen.legacyCall)
      say('a function call has its name first, and once')
    seen.legacyCall = true
  }
  if (finish_reason !== null) checkFinish(finish_reason, delta, seen, say)
}

function checkCall(call: z.infer<typeof opening> | z.infer<typeof piece>, ids: string[], say: Say): void {
  if (!('id' in call)) {
    if (call.index >= ids.length) say(`tool call ${call.index} goes on before it began`)
    return
  }
  if (call.index < ids.length) say(`tool call ${call.index} begins twice`)
  if (call.index > ids.length) say(`tool call ${call.index} leaves a gap`)
  if (ids.includes(call.id)) say(`tool call ${call.index} has the id of another`)
  ids.push(call.id)
}

function checkFinish(
  reason: NonNullable<ContractChoice['finish_reason']>,
  delta: ContractChoice['delta'],
  seen: Seen,
  say: Say,
): void {
  seen.finish = reason
  if (Object.keys(delta).length > 0) say('the finish carries a delta')
  if (reason === 'stop' && seen.ids.length > 0) say('tools were called, and the reason is "stop"')
  if (reason === 'tool_calls' && seen.ids.length === 0) say('no tool was called, and the reason is "tool_calls"')
  if (reason === 'function_call' && !seen.legacyCall) say('no function was called, and the reason is "function_call"')
}
