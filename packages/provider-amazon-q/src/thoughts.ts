const OPENING = '<thinking>'
const CLOSING = '</thinking>'

export interface Piece {
  readonly channel: 'content' | 'reasoning_content'
  readonly text: string
}

/** Tells the thoughts in front of an answer, which come as part of its text, from the answer. */
export interface Thoughts {
  /** What of the text so far goes out now. What may be part of a tag waits until that is decided. */
  push(text: string): readonly Piece[]
  /** What waits, as nothing is going to decide it any more. */
  release(): readonly Piece[]
}

/**
 * Thoughts stand between `<thinking>` and `</thinking>` at the very beginning; white space before the first and right behind
 * the second is dropped. A text that begins with anything else is left alone, and so are all later tags.
 */
export function createThoughts(): Thoughts {
  let place: 'before' | 'inside' | 'behind' | 'elsewhere' = 'before'
  let held = ''

  function before(): readonly Piece[] {
    const start = held.trimStart()
    if (start.length < OPENING.length && OPENING.startsWith(start)) return []
    if (!start.startsWith(OPENING)) return elsewhere(held)
    place = 'inside'
    held = start.slice(OPENING.length)
    return inside()
  }

  function inside(): readonly Piece[] {
    const end = held.indexOf(CLOSING)
    if (end !== -1) {
      const thoughts = held.slice(0, end)
      place = 'behind'
      held = held.slice(end + CLOSING.length)
      return [...toPieces('reasoning_content', thoughts), ...behind()]
    }
    const length = held.length - overlap(held)
    const thoughts = held.slice(0, length)
    held = held.slice(length)
    return toPieces('reasoning_content', thoughts)
  }

  function behind(): readonly Piece[] {
    const start = held.trimStart()
    held = ''
    return start === '' ? [] : elsewhere(start)
  }

  function elsewhere(text: string): readonly Piece[] {
    place = 'elsewhere'
    held = ''
    return toPieces('content', text)
  }

  return {
    push(text) {
      if (place === 'elsewhere') return toPieces('content', text)
      held += text
      if (place === 'before') return before()
      return place === 'inside' ? inside() : behind()
    },
    release() {
      const rest = held
      held = ''
      if (place === 'before') place = 'elsewhere'
      return toPieces(place === 'inside' ? 'reasoning_content' : 'content', rest)
    },
  }
}

function toPieces(channel: Piece['channel'], text: string): readonly Piece[] {
  return text === '' ? [] : [{ channel, text }]
}

/** How much of the beginning of the closing tag stands at the end of the text. */
function overlap(text: string): number {
  let length = Math.min(text.length, CLOSING.length - 1)
  while (!text.endsWith(CLOSING.slice(0, length))) length--
  return length
}
