import {
  UpstreamError,
  type ChatChunk,
  type FinishReason,
  type Frame,
  type ToolCallDelta,
  type Usage,
} from '@millrace/core'
import { TextFrame } from '@millrace/sse-core'
import { fromRawText, toRawText, type RawText } from './raw-text.ts'

/** How a block of content begins. */
export type Opening =
  | { readonly type: 'text' | 'thinking' }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string }

/** Takes the blocks of an answer, one after another: each is opened, grows, and is closed before the next. */
interface BlockSink {
  open(opening: Opening): void
  append(raw: RawText): void
  close(): void
}

/** Frames → blocks of content, in the order in which they began. */
export interface Blocks {
  /** @throws {UpstreamError} `upstream_malformed`: a tool is called with arguments that are no JSON object */
  push(frame: Frame): void
  /** Why the answer ended; undefined as long as it has not. */
  readonly reason: () => FinishReason | undefined
  /** What the upstream, or an estimate, says of tokens. */
  readonly usage: () => Usage | undefined
}

interface Block {
  readonly opening: Opening
  /** What came before it could be opened; of a call all of it, so that it can be seen when it is whole. */
  readonly pieces: RawText[]
}

const TEXT = { type: 'text' } as const
const THINKING = { type: 'thinking' } as const
const CHANNELS = { content: TEXT, refusal: TEXT, reasoning_content: THINKING } as const

const CLOSING_BRACE = 0x7d

/**
 * Only one block is open at a time, and what belongs to later ones waits: a text is over when something else begins, a
 * call when something else has begun and its arguments are whole.
 */
export function createBlocks(sink: BlockSink, hidesThoughts: boolean): Blocks {
  /** Those that are not closed yet, in their order; the first is open. */
  const blocks: Block[] = []
  const calls: Block[] = []
  let reason: FinishReason | undefined
  let usage: Usage | undefined

  function begin(opening: Opening): Block {
    const block = { opening, pieces: [] }
    blocks.push(block)
    if (blocks.length === 1) sink.open(opening)
    else proceed()
    return block
  }

  /** Goes on to the next block as often as the open one is over. */
  function proceed(): void {
    while (blocks.length > 1 && isOver(blocks[0]!)) next()
  }

  function next(): void {
    sink.close()
    blocks.shift()
    const [block] = blocks
    if (block === undefined) return
    sink.open(block.opening)
    for (const piece of block.pieces) sink.append(piece)
  }

  function add(block: Block, raw: RawText): void {
    if (block === blocks[0]) sink.append(raw)
    else if (!blocks.includes(block)) return refuseMore(raw)
    if (block !== blocks[0] || block.opening.type === 'tool_use') block.pieces.push(raw)
    if (blocks.length > 1 && raw.at(-1) === CLOSING_BRACE) proceed()
  }

  function addText(opening: typeof TEXT | typeof THINKING, raw: RawText): void {
    if (raw.length === 0 || (opening === THINKING && hidesThoughts)) return
    const last = blocks.at(-1)
    add(last?.opening === opening ? last : begin(opening), raw)
  }

  function addCall({ index, id, function: { name = '', arguments: piece = '' } }: ToolCallDelta): void {
    if (id !== undefined) calls[index] = begin({ type: 'tool_use', id, name })
    if (piece !== '') add(calls[index]!, toRawText(piece))
  }

  function finish(finished: FinishReason): void {
    reason = finished
    // An answer that was cut off may end in the middle of a call, and says so.
    const mayBeCut = finished === 'length' || finished === 'content_filter'
    if (!mayBeCut && !blocks.every(block => block.pieces.length === 0 || isOver(block))) throw noObject()
    while (blocks.length > 0) next()
  }

  function pushChunk({ choices, usage: told }: ChatChunk): void {
    usage = told ?? usage
    for (const { index, delta, finish_reason } of choices) {
      if (index !== 0) continue
      for (const channel of ['reasoning_content', 'content', 'refusal'] as const) {
        const text = delta[channel]
        if (text) addText(CHANNELS[channel], toRawText(text))
      }
      for (const call of delta.tool_calls ?? []) addCall(call)
      if (finish_reason !== null) finish(finish_reason)
    }
  }

  return {
    push(frame) {
      if (!(frame instanceof TextFrame)) pushChunk(frame.chunk)
      else if (frame.choice !== 0) return
      else if (frame.channel === 'arguments') add(calls[frame.call]!, frame.rawBytes)
      else addText(CHANNELS[frame.channel], frame.rawBytes)
    },
    reason: () => reason,
    usage: () => usage,
  }
}

/** Whether nothing more can come of a block when another has begun. */
function isOver({ opening, pieces }: Block): boolean {
  return opening.type !== 'tool_use' || inputOf(pieces) !== undefined
}

/** What a tool is called with; undefined where it is no JSON object. */
export function inputOf(pieces: readonly RawText[]): object | undefined {
  try {
    const input: unknown = JSON.parse(fromRawText(pieces))
    return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : undefined
  } catch {
    return undefined
  }
}

/** Behind the arguments of a call that is closed only white space may come. */
function refuseMore(raw: RawText): void {
  if (fromRawText([raw]).trim() !== '') throw noObject()
}

function noObject(): UpstreamError {
  return new UpstreamError('upstream_malformed', 'The upstream called a tool with arguments that are no JSON object.')
}
