import type { ChunkHead, Delta, Frame, Frames } from '@millrace/core'
import { toChunk } from './encode.ts'
import { contentOf, partsOf } from './parts.ts'

/**
 * Tells what stands between `<think>` and `</think>` at the very beginning of a choice's content as reasoning; white
 * space before the first and right after the second is dropped. What may be part of a tag is held back until that is
 * decided. A choice that begins with anything else is left alone, a later or lone tag in it included. Where text changes
 * its place its probabilities are left out.
 * @param tag in place of `think`
 */
export async function* withThinkTags(frames: Frames, head: ChunkHead, tag = 'think'): Frames {
  const choices = new Map<number, Choice>()
  let undecided = 0

  function push(frame: Frame): readonly Frame[] {
    // A choice is never opened by a frame with bytes, so this one is of a choice that needs no look any more.
    if (undecided === 0 && frame.bytes !== undefined) return [frame]
    return partsOf(frame).flatMap(part => {
      const [first] = part.chunk.choices
      if (first === undefined) return part
      let choice = choices.get(first.index)
      if (choice === undefined) {
        choices.set(first.index, (choice = createChoice(first.index, head, tag)))
        undecided++
      }
      if (choice.decided) return part
      const out = choice.push(part)
      if (choice.decided) undecided--
      return out
    })
  }

  function rest(): Frame[] {
    return [...choices.values()].flatMap(choice => choice.release())
  }

  try {
    for await (const batch of frames) {
      const out = batch.flatMap(push)
      if (out.length > 0) yield out
    }
  } catch (error) {
    const held = rest()
    if (held.length > 0) yield held
    throw error
  }
  const late = rest()
  if (late.length > 0) yield late
}

interface Choice {
  /** Whether everything that follows is left alone. */
  readonly decided: boolean
  /** What goes out now that this frame of the choice has come. */
  push(frame: Frame): readonly Frame[]
  /** What was held back. */
  release(): Frame[]
}

function createChoice(index: number, head: ChunkHead, tag: string): Choice {
  const opening = `<${tag}>`
  const closing = `</${tag}>`
  let place: 'before' | 'inside' | 'behind' | 'elsewhere' = 'before'
  let waiting: Frame[] = [] // before the opening tag
  let held = '' // their text, but for the white space before it; inside, what may be the beginning of the closing tag

  function say(delta: Delta): Frame[] {
    return [{ chunk: toChunk(head, { index, delta, finish_reason: null }) }]
  }

  function release(): Frame[] {
    const frames = place === 'inside' && held !== '' ? say({ reasoning_content: held }) : waiting
    if (waiting.length > 0) place = 'elsewhere'
    waiting = []
    held = ''
    return frames
  }

  function before(frame: Frame, text: string): Frame[] {
    if (waiting.length === 0 && text === '') return [frame]
    waiting.push(frame)
    held = (held + text).trimStart()
    if (held.length < opening.length && opening.startsWith(held)) return []
    if (!held.startsWith(opening)) return release()
    const role = waiting[0]?.chunk.choices[0]?.delta.role
    const behindTag = held.slice(opening.length)
    waiting = []
    held = ''
    place = 'inside'
    return [...(role === undefined ? [] : say({ role, content: '' })), ...inside(behindTag)]
  }

  function inside(text: string): Frame[] {
    const all = held + text
    const end = all.indexOf(closing)
    const length = end === -1 ? all.length - overlap(all, closing) : end
    const reasoning = length === 0 ? [] : say({ reasoning_content: all.slice(0, length) })
    if (end === -1) {
      held = all.slice(length)
      return reasoning
    }
    held = ''
    place = 'behind'
    return [...reasoning, ...behind(all.slice(end + closing.length))]
  }

  function behind(text: string): Frame[] {
    const content = text.trimStart()
    if (content === '') return []
    place = 'elsewhere'
    return say({ content })
  }

  return {
    get decided() {
      return place === 'elsewhere'
    },
    push(frame) {
      const text = contentOf(frame)
      if (text === undefined) return [...release(), frame]
      if (place === 'before') return before(frame, text)
      return place === 'inside' ? inside(text) : behind(text)
    },
    release,
  }
}

/** How much of the word's beginning stands at the end of the text. */
function overlap(text: string, word: string): number {
  let length = Math.min(text.length, word.length - 1)
  while (!text.endsWith(word.slice(0, length))) length--
  return length
}
