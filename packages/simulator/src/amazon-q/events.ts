import { createHash } from 'node:crypto'
import { resized, textPieces } from '../words.ts'
import type { AmazonQAsk } from './ask.ts'
import { lengthOf, textOf } from './conversation.ts'
import { toEvent } from './frames.ts'
import { toPlausible } from './plausible.ts'

const CHARACTERS_PER_TOKEN = 4
const CITIES = ['Berlin', 'Nairobi', 'Lima', 'Osaka']
const ARGUMENT_CHARACTERS = 8
/** Characters of a result that are quoted. */
const MAX_QUOTED = 500

/** A call as it is said. */
export interface SaidCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
  /** The arguments in the fragments in which they come. */
  readonly pieces: readonly string[]
}

/** Pieces of text, each an event. `auto` says in the first of them which model it took. */
export function* textEvents(ask: AmazonQAsk, pieces: Iterable<string> = textPieces(ask.options)): Generator<Buffer> {
  const told = ask.model.id === 'auto' ? { modelId: 'claude-sonnet-4.5' } : {}
  for (const content of pieces) yield toEvent('assistantResponseEvent', { content, ...told })
}

/** Text that is not made up of words of the mill, one word at a time or as the option `size` says. */
export function piecesOf({ options }: AmazonQAsk, text: string): Iterable<string> {
  return resized(text.match(/\s*\S+\s*$|\s*\S+/g) ?? [], options)
}

export function* reasoningEvents(ask: AmazonQAsk): Generator<Buffer> {
  for (const text of thoughtsOf(ask)) yield toEvent('reasoningContentEvent', { text })
  yield toEvent('reasoningContentEvent', { signature: 'c2ltdWxhdGVk' })
}

export function thoughtsOf({ options }: AmazonQAsk): Iterable<string> {
  return textPieces(options.withDefaults({ words: options.text('thoughts', '5') }), 3)
}

/** Call number `index` of an answer: the tool that is named, or else one that the request declares. */
export function toCall(ask: AmazonQAsk, index = 0): SaidCall {
  const tool = ask.tools[index] ?? ask.tools[0]
  const name = ask.options.text('name') ?? tool?.name ?? 'get_weather'
  const declared = ask.tools.find(one => one.name === name)
  const plausible =
    declared === undefined ? { city: CITIES[index % CITIES.length] } : toPlausible(declared.inputSchema.json)
  return toSaidCall(ask, index, name, ask.options.text('arguments') ?? JSON.stringify(plausible))
}

/** A call with an id that is the same for the same conversation, and another in each turn. */
export function toSaidCall(ask: AmazonQAsk, index: number, name: string, args: string): SaidCall {
  const seed = JSON.stringify([ask.state, index, name])
  const id = `tooluse_${createHash('sha256').update(seed).digest('base64url').slice(0, 22)}`
  const pieces = args.match(new RegExp(`.{1,${ARGUMENT_CHARACTERS}}`, 'gsu')) ?? []
  return { id, name, arguments: args, pieces: [...resized(pieces, ask.options)] }
}

/** A call: its start, its arguments in fragments, its stop. */
export function* callEvents({ id, name, pieces }: SaidCall): Generator<Buffer> {
  yield toolEvent(id, name)
  for (const input of pieces) yield toolEvent(id, name, { input })
  yield toolEvent(id, name, { stop: true })
}

export function toolEvent(toolUseId: string, name: string, members: object = {}): Buffer {
  return toEvent('toolUseEvent', { toolUseId, name, ...members })
}

/** Words about the results that came. */
export function quoteOf({ results }: AmazonQAsk): string {
  const quotes = results.map(result => `"${textOf(result).slice(0, MAX_QUOTED)}"`)
  return `The tool said: ${quotes.join(' and ')}.`
}

/** A stream as a whole: what comes first where JSON is spoken, the frames, and what is told of the answer at the end. */
export function* toStream(ask: AmazonQAsk, frames: Iterable<Buffer>, usualStop?: string): Generator<Buffer> {
  const mode = ask.options.oneOf('usage', USAGE_MODES, 'context')
  yield* opening(ask)
  if (mode === 'before') yield* usageEvents(ask, mode, 0)
  let count = 0
  for (const frame of frames) {
    count++
    yield frame
    if (mode === 'each') yield contextEvent(ask, count)
  }
  if (mode !== 'before') yield* usageEvents(ask, mode, count)
  const stopReason = ask.options.text('stop') ?? usualStop
  if (stopReason !== undefined) yield toEvent('metadataEvent', { stopReason })
}

/** The first frame, which only one flavour has. */
export function* opening({ flavour, conversationId, options }: AmazonQAsk): Generator<Buffer> {
  if (options.flag('initial', flavour === 'json')) yield toEvent('initial-response', { conversationId })
}

/** What tells of usage, what it cost excepted: where and what it is → the events for an answer of so many of them. */
const USAGE = {
  context: (ask, count) => [contextEvent(ask, count)],
  tokens: (ask, count) => [tokenEvent(ask, count)],
  both: (ask, count) => [tokenEvent(ask, count), contextEvent(ask, count)],
  none: () => [],
  negative: (ask, count) => [tokenEvent(ask, count, value => -value)],
  huge: (ask, count) => [tokenEvent(ask, count, () => 2 ** 53)],
  twice: (ask, count) => [tokenEvent(ask, count), tokenEvent(ask, count)],
  each: () => [], // there is one behind each frame already
  before: (ask, count) => [contextEvent(ask, count)],
} satisfies Record<string, (ask: AmazonQAsk, count: number) => readonly Buffer[]>

export const USAGE_MODES = Object.keys(USAGE) as readonly (keyof typeof USAGE)[]

function* usageEvents(ask: AmazonQAsk, mode: keyof typeof USAGE, count: number): Generator<Buffer> {
  yield* USAGE[mode](ask, count)
  if (mode === 'none') return
  const [prompt, output] = tokensOf(ask, count)
  const usage = round((ask.model.rate * (prompt + output)) / 100_000)
  yield toEvent('meteringEvent', { unit: 'credit', unitPlural: 'credits', usage })
}

function contextEvent(ask: AmazonQAsk, count: number): Buffer {
  const [prompt, output] = tokensOf(ask, count)
  const usual = round(((prompt + output) / ask.model.maxInputTokens) * 100)
  return toEvent('contextUsageEvent', { contextUsagePercentage: ask.options.number('percentage', usual) })
}

function tokenEvent(ask: AmazonQAsk, count: number, altered = (value: number) => value): Buffer {
  const [prompt, output] = tokensOf(ask, count)
  const cached = ask.options.number('cached', 0)
  const tokenUsage = {
    uncachedInputTokens: altered(prompt - cached),
    outputTokens: altered(output),
    totalTokens: altered(prompt + output),
    ...(cached > 0 && { cacheReadInputTokens: altered(cached) }),
  }
  return toEvent('metadataEvent', { tokenUsage })
}

/** Tokens of the prompt and of the answer: one for each event. */
function tokensOf({ options, state }: AmazonQAsk, count: number): readonly [prompt: number, output: number] {
  return [options.number('prompt', Math.ceil(lengthOf(state) / CHARACTERS_PER_TOKEN)), options.number('output', count)]
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
