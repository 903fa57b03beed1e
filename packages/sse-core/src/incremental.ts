import type { ChatChunk, Frame, Frames } from '@millrace/core'
import { createIncrements, type Increments } from './increments.ts'
import { perChoice, type ChoiceOperator } from './per-choice.ts'
import { TextFrame, withText, type Channel } from './template.ts'

/**
 * The same frames with only what is new in each, for upstreams whose deltas hold all of the text so far, now and then or
 * always: content, reasoning and the arguments of each call on their own. Deltas of ordinary streams go through as they
 * are, but for a few at the beginning, which are held until the next one has come. Where a delta is cut its probabilities
 * are left out.
 */
export function withIncrements(frames: Frames): Frames {
  return perChoice(frames, createChoice)
}

/** A text in a frame: which, and what is new in it as far as the upstream says. */
interface Piece {
  readonly channel: Channel
  readonly call: number
  readonly text: string
}

function createChoice(): ChoiceOperator {
  const texts = { content: createIncrements('text'), reasoning_content: createIncrements('text') }
  const calls: Increments[] = []
  /** At most one text is held at a time: whatever else goes out is behind it. */
  let holding: { readonly increments: Increments; readonly frame: Frame; readonly text: string } | undefined

  function incrementsOf(channel: Channel, call: number): Increments {
    return channel === 'arguments' ? (calls[call] ??= createIncrements('arguments')) : texts[channel]
  }

  function release(): readonly Frame[] {
    if (holding === undefined) return []
    const { increments, frame } = holding
    holding = undefined
    increments.release()
    return [frame]
  }

  function pushText(frame: Frame, { channel, call, text }: Piece): Frame | readonly Frame[] {
    const increments = incrementsOf(channel, call)
    const earlier = holding?.increments === increments ? holding : undefined
    const fresh = increments.push(text)
    if (earlier !== undefined) holding = undefined
    const before = fresh !== '' || increments.isHolding() ? release() : []
    if (increments.isHolding()) holding = { increments, frame, text }
    if (fresh === '') return before
    const out = fresh === text ? frame : fresh === earlier?.text ? earlier.frame : cut(frame, channel, fresh)
    return before.length === 0 ? out : [...before, out]
  }

  return {
    push(frame) {
      if (frame instanceof TextFrame) {
        const passes = holding === undefined && incrementsOf(frame.channel, frame.call).skip(frame)
        return passes ? frame : pushText(frame, frame)
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
  const [name, ...others] = Object.keys(choice.delta)
  if (others.length > 0) return undefined
  const { content, reasoning_content, tool_calls } = choice.delta
  if (name === 'content' && content) return { channel: name, call: 0, text: content }
  if (name === 'reasoning_content' && reasoning_content) return { channel: name, call: 0, text: reasoning_content }
  const [call, ...more] = tool_calls ?? []
  const text = call?.id === undefined ? call?.function.arguments : undefined
  return call === undefined || !text || more.length > 0 ? undefined : { channel: 'arguments', call: call.index, text }
}

function cut({ chunk }: Frame, channel: Channel, text: string): Frame {
  const { logprobs: _logprobs, ...choice } = chunk.choices[0]!
  return { chunk: withText({ ...chunk, choices: [choice] }, channel, text) }
}
