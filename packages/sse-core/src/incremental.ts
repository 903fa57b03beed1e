import { createFlow, run, UpstreamError, type ChatChunk, type Frame, type Frames } from '@millrace/core'
import { createGate } from './gate.ts'
import { createIncrements, type Increments } from './increments.ts'
import { TextFrame, withText, type Channel } from './template.ts'

/**
 * The same frames with only what is new in each, for upstreams whose deltas hold all of the text so far, now and then or
 * always: content, reasoning and the arguments of each call on their own. Deltas of ordinary streams go through as they
 * are, but for a few at the beginning, which are held until the next one has come. Where a delta is cut its probabilities
 * are left out.
 */
export function withIncrements(frames: Frames): Frames {
  return createFlow(async sink => {
    const gate = createGate(sink)
    const choices = new Map<number, Choice>()

    function push(frame: Frame): Frame | readonly Frame[] {
      const index = frame instanceof TextFrame ? frame.choice : frame.chunk.choices[0]?.index
      if (index === undefined) return frame
      let choice = choices.get(index)
      if (choice === undefined) choices.set(index, (choice = createChoice()))
      return choice.push(frame)
    }

    const release = (): Frame[] => [...choices.values()].flatMap(choice => choice.release())

    try {
      await run(frames, batch => {
        const out = mapBatch(batch, push)
        return out.length > 0 ? gate.pass(out) : undefined
      })
    } catch (error) {
      const held = error instanceof UpstreamError ? release() : []
      if (held.length > 0) await sink(held)
      throw error
    }
    const held = gate.closed ? [] : release()
    if (held.length > 0) await sink(held)
  })
}

/** The batch with each frame replaced by what it becomes; the same batch where they all stay as they are. */
function mapBatch(batch: readonly Frame[], push: (frame: Frame) => Frame | readonly Frame[]): readonly Frame[] {
  let out: Frame[] | undefined
  for (const [at, frame] of batch.entries()) {
    const result = push(frame)
    if (result === frame) out?.push(frame)
    else {
      out ??= batch.slice(0, at)
      out.push(...(Array.isArray(result) ? (result as readonly Frame[]) : [result as Frame]))
    }
  }
  return out ?? batch
}

interface Choice {
  push(frame: Frame): Frame | readonly Frame[]
  /** The frame that was held, or none. */
  release(): Frame[]
}

/** A text in a frame: which, and what is new in it as far as the upstream says. */
interface Piece {
  readonly channel: Channel
  readonly call: number
  readonly text: string
}

function createChoice(): Choice {
  const texts = { content: createIncrements('text'), reasoning_content: createIncrements('text') }
  const calls: Increments[] = []
  /** At most one text is held at a time: whatever else goes out is behind it. */
  let holding: { readonly increments: Increments; readonly frame: Frame; readonly text: string } | undefined

  function incrementsOf(channel: Channel, call: number): Increments {
    return channel === 'arguments' ? (calls[call] ??= createIncrements('arguments')) : texts[channel]
  }

  function release(): Frame[] {
    const held = holding
    holding = undefined
    if (held === undefined) return []
    held.increments.release()
    return [held.frame]
  }

  function pushText(frame: Frame, { channel, call, text }: Piece): Frame | readonly Frame[] {
    const increments = incrementsOf(channel, call)
    const earlier = holding?.increments === increments ? holding : undefined
    const fresh = increments.push(text)
    if (earlier !== undefined) holding = undefined
    const before = fresh !== '' || increments.isHolding ? release() : []
    if (increments.isHolding) holding = { increments, frame, text }
    if (fresh === '') return before
    const out = fresh === text ? frame : fresh === earlier?.text ? earlier.frame : cut(frame, channel, fresh)
    return before.length === 0 ? out : [...before, out]
  }

  return {
    push(frame) {
      if (frame instanceof TextFrame) {
        if (holding === undefined && incrementsOf(frame.channel, frame.call).skip(frame)) return frame
        return pushText(frame, frame)
      }
      const piece = pieceOf(frame.chunk)
      if (piece !== undefined) return pushText(frame, piece)
      return holding === undefined ? frame : [...release(), frame]
    },
    release,
  }
}

/** The text of a chunk that says nothing else. */
function pieceOf({ choices: [choice] }: ChatChunk): Piece | undefined {
  if (choice === undefined || choice.finish_reason !== null) return undefined
  const { content, reasoning_content, tool_calls, ...rest } = choice.delta
  if (Object.keys(rest).length > 0) return undefined
  const [call, ...more] = tool_calls ?? []
  const pieces: Piece[] = []
  if (content) pieces.push({ channel: 'content', call: 0, text: content })
  if (reasoning_content) pieces.push({ channel: 'reasoning_content', call: 0, text: reasoning_content })
  if (call?.function.arguments && call.id === undefined && more.length === 0) {
    pieces.push({ channel: 'arguments', call: call.index, text: call.function.arguments })
  }
  return pieces.length === 1 ? pieces[0] : undefined
}

function cut({ chunk }: Frame, channel: Channel, text: string): Frame {
  const { logprobs: _logprobs, ...choice } = chunk.choices[0]!
  return { chunk: withText({ ...chunk, choices: [choice] }, channel, text) }
}
