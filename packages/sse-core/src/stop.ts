import type { ChunkHead, Frame, Frames } from '@millrace/core'
import { toChunk } from './encode.ts'
import { contentOf, partsOf, withChoice } from './parts.ts'

/**
 * Stop sequences for an upstream that knows none. A choice's content ends before the first of them to be complete (of
 * several that end together, before the longest), and with it the choice, as if the model had stopped there; once all
 * choices have ended so, the source is left. Content that may be the beginning of a stop sequence is held back until it
 * is decided; anything else the choice says, its end, and a failure release it, so that nothing is lost or reordered.
 * Empty sequences count for nothing.
 */
export function withStop(frames: Frames, stops: readonly string[], head: ChunkHead): Frames {
  // Half a surrogate pair stands in no text.
  const words = stops.filter(stop => stop !== '' && stop.isWellFormed())
  return words.length === 0 ? frames : stopAt(frames, words, head)
}

async function* stopAt(frames: Frames, words: readonly string[], head: ChunkHead): Frames {
  const choices = new Map<number, Choice>()
  let usage: Frame[] = []

  function push(frame: Frame): readonly Frame[] {
    const [first] = frame.chunk.choices
    if (first === undefined) {
      if (!frame.chunk.usage) return [frame]
      usage = [frame]
      return []
    }
    let choice = choices.get(first.index)
    if (choice === undefined) choices.set(first.index, (choice = createChoice(first.index, words, head)))
    return choice.push(frame)
  }

  function rest(): Frame[] {
    return [...choices.values()].flatMap(choice => choice.release())
  }

  try {
    for await (const batch of frames) {
      const out = batch.flatMap(partsOf).flatMap(push)
      const states = [...choices.values()].map(({ state }) => state)
      if (states.length > 0 && !states.includes('open')) out.push(...usage.splice(0))
      if (out.length > 0) yield out
      // Where a choice came to its own end, the upstream is at the end too and about to tell the usage.
      if (states.length > 0 && states.every(state => state === 'stopped')) return
    }
  } catch (error) {
    const held = rest()
    if (held.length > 0) yield held
    throw error
  }
  const late = [...rest(), ...usage]
  if (late.length > 0) yield late
}

interface Choice {
  readonly state: 'open' | 'ended' | 'stopped'
  /** What goes out now that this frame of the choice has come. */
  push(frame: Frame): readonly Frame[]
  /** What was held back. */
  release(): Frame[]
}

function createChoice(index: number, words: readonly string[], head: ChunkHead): Choice {
  const matcher = createMatcher(words)
  let state: Choice['state'] = 'open'
  let called = false
  let waiting: { readonly frame: Frame; readonly text: string }[] = []
  let waitingLength = 0

  function release(): Frame[] {
    const frames = waiting.map(({ frame }) => frame)
    waiting = []
    waitingLength = 0
    return frames
  }

  /**
   * The frames with the first `length` characters of what waits, none where it is negative; a frame that is only in part
   * among them is cut in two.
   */
  function take(length: number): Frame[] {
    const taken: Frame[] = []
    let left = Math.max(0, length)
    waitingLength -= left
    for (let next = waiting[0]; next !== undefined && next.text.length <= left; next = waiting[0]) {
      taken.push(next.frame)
      left -= next.text.length
      waiting.shift()
    }
    const [cut] = waiting
    if (cut !== undefined && left > 0) {
      const { logprobs: _logprobs, ...choice } = cut.frame.chunk.choices[0]!
      const text = cut.text.slice(left)
      taken.push(withChoice(cut.frame, { ...choice, delta: { ...choice.delta, content: cut.text.slice(0, left) } }))
      // The probabilities stay with the last of the text that they belong to.
      const rest = { ...cut.frame.chunk.choices[0]!, delta: { content: text } }
      waiting[0] = { frame: withChoice(cut.frame, rest), text }
    }
    return taken
  }

  function end(): Frame[] {
    state = 'stopped'
    const role = waiting[0]?.frame.chunk.choices[0]?.delta.role
    const opening =
      role === undefined ? [] : [{ chunk: toChunk(head, { index, delta: { role, content: '' }, finish_reason: null }) }]
    release()
    const finish_reason = called ? 'tool_calls' : 'stop'
    return [...opening, { chunk: toChunk(head, { index, delta: {}, finish_reason }) }]
  }

  return {
    get state() {
      return state
    },
    push(frame) {
      if (state !== 'open') return []
      const text = contentOf(frame)
      if (text === undefined) {
        const [said] = frame.chunk.choices
        called ||= said?.delta.tool_calls !== undefined
        if (said?.finish_reason !== null) state = 'ended'
        return [...release(), frame]
      }
      const before = waitingLength
      waiting.push({ frame, text })
      waitingLength += text.length
      const match = matcher.push(text)
      // What was released before something else in the midst of a word is gone; then nothing is left to take.
      if (match === undefined) return take(waitingLength - matcher.held)
      return [...take(before + match.end - match.length), ...end()]
    },
    release,
  }
}

interface Matcher {
  /** Where in this piece of the text the first of the words is complete, and how long it is. */
  push(text: string): { readonly end: number; readonly length: number } | undefined
  /** How much at the end of the text so far may be the beginning of a word. */
  readonly held: number
}

/** Follows a text that comes in pieces, for the words all at once; each character is looked at once (Knuth–Morris–Pratt). */
function createMatcher(words: readonly string[]): Matcher {
  const followed = words.map(word => ({ word, fallbacks: fallbacksOf(word), matched: 0 }))
  return {
    push(text) {
      for (let at = 0; at < text.length; at++) {
        let length = 0
        for (const follower of followed) {
          follower.matched = advance(follower.word, follower.fallbacks, follower.matched, text.charCodeAt(at))
          if (follower.matched === follower.word.length) length = Math.max(length, follower.matched)
        }
        if (length > 0) return { end: at + 1, length }
      }
      return undefined
    },
    get held() {
      return Math.max(...followed.map(({ matched }) => matched))
    },
  }
}

/** How much of the word stands at the end of the text after one more character, `matched` having stood there before. */
function advance(word: string, fallbacks: readonly number[], matched: number, character: number): number {
  let length = matched
  while (length > 0 && word.charCodeAt(length) !== character) length = fallbacks[length - 1]!
  return word.charCodeAt(length) === character ? length + 1 : length
}

/** For each beginning of the word, how much of the word's beginning stands at its end, besides the whole of it. */
function fallbacksOf(word: string): number[] {
  const fallbacks = [0]
  for (let at = 1; at < word.length; at++) {
    fallbacks.push(advance(word, fallbacks, fallbacks[at - 1]!, word.charCodeAt(at)))
  }
  return fallbacks
}
