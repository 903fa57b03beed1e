import type { Frame, Frames } from '@millrace/core'
import { contentOf, withChoice } from './parts.ts'
import { perChoice, type ChoiceOperator } from './per-choice.ts'
import { TextFrame } from './template.ts'

const OPENING = '<think>'
const CLOSING = '</think>'
const LESS_THAN = 0x3c

/**
 * Leaves out a `</think>` that is the last of a choice's content, with the white space behind it, where no `<think>` came
 * before: some models close what their template has opened. Content in which it may begin is held back until that is
 * decided.
 */
export function withoutOrphanTag(frames: Frames): Frames {
  return perChoice(frames, createChoice)
}

function createChoice(): ChoiceOperator {
  let opened = false
  /** What may be a tag or the beginning of one, from its `<` on, and the frames that it stands in. */
  let tag = ''
  let waiting: Frame[] = []

  function release(): readonly Frame[] {
    const released = waiting
    waiting = []
    tag = ''
    return released
  }

  function content(frame: Frame, added: string): Frame | readonly Frame[] {
    const text = tag + added
    opened = text.includes(OPENING)
    const at = text.lastIndexOf('<')
    const last = at === -1 ? '' : text.slice(at)
    if (opened || !mayBeTag(last)) return tag === '' ? frame : [...release(), frame]
    const goesOn = at === 0 && tag !== ''
    const before = goesOn ? [] : release()
    waiting.push(frame)
    tag = last
    return before
  }

  /** What waits, without the tag if it is one, now that the content is over. */
  function end(): readonly Frame[] {
    const isOrphan = tag.trimEnd() === CLOSING
    const released = release()
    const [choice] = released[0]?.chunk.choices ?? []
    if (!isOrphan || choice === undefined) return released
    const text = choice.delta.content ?? ''
    const before = text.slice(0, text.lastIndexOf('<'))
    const { logprobs: _logprobs, ...rest } = choice
    return before === '' ? [] : [withChoice(released[0]!, { ...rest, delta: { content: before } })]
  }

  return {
    release,
    push(frame) {
      if (opened) return frame
      if (frame instanceof TextFrame && frame.channel === 'content') {
        return tag === '' && !frame.hasCharacter(LESS_THAN) ? frame : content(frame, frame.text)
      }
      if (tag === '' && frame.bytes !== undefined) return frame
      const added = contentOf(frame)
      if (added) return content(frame, added)
      if (tag === '' || added === '') return frame
      const isReasoning = frame.chunk.choices[0]?.delta.reasoning_content !== undefined
      return [...(isReasoning ? release() : end()), frame]
    },
  }
}

function mayBeTag(text: string): boolean {
  return text !== '' && (OPENING.startsWith(text) || CLOSING.startsWith(text) || text.trimEnd() === CLOSING)
}
