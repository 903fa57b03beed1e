/** The one argument of a custom tool, read from the pieces of a function's arguments as they come. */
export interface CustomInput {
  /** What the piece adds to the input. */
  push(piece: string): string
  /** Whether the input is known to be whole. */
  isWhole(): boolean
  /** What is left of it when nothing more comes: all of it, where the arguments are not `{"input": "…"}`. */
  end(): string
}

const OPENING = /^\s*\{\s*"input"\s*:\s*"/

export function createCustomInput(): CustomInput {
  /** What was not read yet; before the opening, all that came. */
  let rest = ''
  let state: 'before' | 'inside' | 'behind' = 'before'

  return {
    push(piece) {
      if (state === 'behind') return ''
      rest += piece
      if (state === 'before') {
        const opening = OPENING.exec(rest)
        if (opening === null) return ''
        rest = rest.slice(opening[0].length)
        state = 'inside'
      }
      const length = readableLength(rest)
      const text = unescaped(rest.slice(0, length))
      if (rest[length] === '"') state = 'behind'
      rest = rest.slice(length)
      return text
    },
    isWhole: () => state === 'behind',
    end: () => (state === 'before' ? inputOf(rest) : ''),
  }
}

const HIGH_SURROGATE = /^(?:[\uD800-\uDBFF]|\\ud[89ab][\da-f]{2})$/i
/** An escape, or a backslash that begins none. */
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-f]{4})?/iy
/** What may become an escape when more comes. */
const BEGUN_ESCAPE = /\\(?:u[\da-f]{0,3})?$/iy

/** How far the text goes before a quote ends it, or it breaks off in the middle of a character. */
function readableLength(text: string): number {
  let at = 0
  let last = 0
  while (at < text.length && text[at] !== '"') {
    let next = at + 1
    if (text[at] === '\\') {
      BEGUN_ESCAPE.lastIndex = ESCAPE.lastIndex = at
      if (BEGUN_ESCAPE.test(text)) break
      ESCAPE.test(text)
      next = ESCAPE.lastIndex
    }
    last = at
    at = next
  }
  const isLast = text[at] !== '"'
  return isLast && HIGH_SURROGATE.test(text.slice(last, at)) ? last : at
}

/** Escapes, and such backslashes as begin none, which some models leave bare. */
const ESCAPES = /\\(["\\/bfnrt]|u[\da-f]{4})|\\/gi
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f]/g

function unescaped(text: string): string {
  const json = text
    .replace(ESCAPES, (escape, known: string | undefined) => (known === undefined ? '\\\\' : escape))
    // Line ends, which some models leave as they are.
    .replace(CONTROL, character => JSON.stringify(character).slice(1, -1))
  return JSON.parse(`"${json}"`) as string
}

/** The input in arguments of another shape: the only text in an object, or all that was said. */
function inputOf(said: string): string {
  let value: unknown
  try {
    value = JSON.parse(said)
  } catch {
    return said
  }
  if (typeof value === 'string') return value
  const members = typeof value === 'object' && value !== null ? Object.values(value) : []
  const texts = members.filter(member => typeof member === 'string')
  return texts.length === 1 ? texts[0]! : said
}
