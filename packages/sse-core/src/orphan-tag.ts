import { createFlow, run, UpstreamError, type Frame, type Frames } from '@millrace/core'
import { createGate } from './gate.ts'
import { mapBatch } from './map-batch.ts'
import { contentOf, partsOf, withChoice } from './parts.ts'
import { TextFrame } from './template.ts'

const OPENING = '<think>'
const CLOSING = '</think>'
const LESS_THAN = 0x3c

/**
 * Leaves out a `</think>` that is the last of a choice's content, with the white space behind it, where no `<think>` came
 * before: some models close what their template opened. Where it may begin, content is held back until it is known.
 */
export function withoutOrphanTag(frames: Frames): Frames {
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

    try {
      await run(frames, batch => {
        const out = mapBatch(batch, push)
        return out.length > 0 ? gate.pass(out) : undefined
      })
    } catch (error) {
      const held = error instanceof UpstreamError ? [...choices.values()].flatMap(choice => choice.release()) : []
      if (held.length > 0) await sink(held)
      throw error
    }
  })
}

interface Choice {
  push(frame: Frame): Frame | readonly Frame[]
  /** What was held back. */
  release(): readonly Frame[]
}

function createChoice(): Choice {
  /** The last of the content, as long as a tag may have begun in it. */
  let recent = ''
  let opened = false
  /** Frames since the one in which the tag may begin, and where in their text it does. */
  let waiting: Frame[] = []
  let text = ''
  let start = -1

  function release(): readonly Frame[] {
    const released = waiting
    waiting = []
    text = ''
    start = -1
    return released
  }

  /** The content is over: what waits goes out but for the tag, where it is one. */
  function end(): readonly Frame[] {
    const before = text.slice(0, Math.max(0, start))
    const isTag = start !== -1 && text.slice(start).trimEnd() === CLOSING
    const [first, ...more] = release()
    if (first === undefined) return []
    if (!isTag) return [first, ...more]
    const [choice] = first.chunk.choices
    return before === '' || choice === undefined
      ? []
      : [withChoice(first, { ...choice, delta: { ...choice.delta, content: before } })]
  }

  function content(frame: Frame, added: string): Frame | readonly Frame[] {
    const all = recent + added
    opened ||= all.includes(OPENING)
    recent = all.slice(1 - OPENING.length)
    if (start !== -1 && !opened && mayBeTag((text + added).slice(start))) {
      waiting.push(frame)
      text += added
      return []
    }
    const before = release()
    start = opened ? -1 : lastTagStart(added)
    if (start === -1) return before.length === 0 ? frame : [...before, frame]
    waiting = [frame]
    text = added
    return before
  }

  return {
    release,
    push(frame) {
      if (frame instanceof TextFrame && frame.channel === 'content') {
        if (opened || (start === -1 && !mayHoldTag(frame, recent))) return frame
        return content(frame, frame.text)
      }
      if (opened || partsOf(frame).length > 1) return [...release(), frame]
      const added = contentOf(frame)
      if (added) return content(frame, added)
      // Reasoning behind the content: then a tag may well belong to it.
      if (frame.chunk.choices[0]?.delta.reasoning_content !== undefined) return [...release(), frame]
      return start === -1 || added === '' ? frame : [...end(), frame]
    },
  }
}
