/** The longest beginning of an ordinary text that is kept; of what follows only the length. */
const KEPT_UNITS = 1024
/** A repeated text of this length is no chance. */
const REPEAT_UNITS = 64
/** So long must a text be before one delta that begins with all of it proves anything. */
const SURE_UNITS = 16
/** The same for arguments, which begin with a brace: inside of them no piece begins like that. */
const SURE_ARGUMENTS_UNITS = 8

/** What came of one text so far, from an upstream whose deltas may hold the whole text instead of what is new. */
export interface Increments {
  /** What is new in the delta, maybe nothing; a delta that may be either is held until the next one has come. */
  push(delta: string): string
  isHolding(): boolean
  /** The delta that is held, which is new as nothing says otherwise; empty where none is. */
  release(): string
  /** Takes a delta that is new for its length alone, without reading it; false where it has to be pushed. */
  skip(delta: UnreadText): boolean
}

/** A text that has not been read. */
export interface UnreadText {
  /** How long it is in JSON, bytes of UTF-8, and how long in itself, UTF-16 units, which is never more. */
  readonly textBytes: number
  readonly textUnits: number
  /** Its bytes in JSON, without the quotes, as the characters of a string. */
  readonly rawText: string
}

/**
 * Tells the new part of each delta. A delta that begins with all of the text so far shows that deltas
 * are cumulative; where the text is too short to be sure, the delta after it has to begin with that delta. Then what is
 * known is cut off, and a shorter beginning of it (a rewind) is nothing, until a delta is neither. A text of more than
 * 1024 units is compared by these and by its length. All lengths are in UTF-16 units.
 */
export function createIncrements(kind: 'text' | 'arguments'): Increments {
  let cumulative = false
  /** The text so far; in ordinary mode not more of it than `KEPT_UNITS`. */
  let known = ''
  /** What was skipped behind that, unread: most streams are ordinary, and nobody ever asks. */
  let unread = ''
  let length = 0
  let held: string | undefined

  function readAll(): void {
    if (unread === '') return
    known = (known + toText(unread)).slice(0, KEPT_UNITS)
    unread = ''
  }

  function append(delta: string): string {
    if (known.length < KEPT_UNITS || cumulative) known = (known + delta).slice(0, KEPT_UNITS)
    length += delta.length
    cumulative = false
    return delta
  }

  /** From now on deltas are cumulative. */
  function enter(delta: string): string {
    const fresh = delta.slice(length)
    cumulative = true
    known = delta
    length = delta.length
    return fresh
  }

  function continues(delta: string): string {
    if (delta.startsWith(known)) return enter(delta)
    return known.startsWith(delta) ? '' : append(delta)
  }

  function isSure(): boolean {
    return kind === 'text' ? length >= SURE_UNITS : length >= SURE_ARGUMENTS_UNITS && known.startsWith('{')
  }

  function push(delta: string): string {
    readAll()
    if (held !== undefined) {
      const earlier = held
      held = undefined
      return delta.startsWith(earlier) ? enter(delta) : append(earlier) + push(delta)
    }
    if (cumulative) return continues(delta)
    if (length === 0 || delta.length < length || !delta.startsWith(known)) return append(delta)
    if (delta.length === length) return length >= REPEAT_UNITS ? enter(delta) : append(delta)
    if (isSure()) return enter(delta)
    if (kind === 'arguments') return append(delta)
    held = delta
    return ''
  }

  return {
    push,
    isHolding: () => held !== undefined,
    release() {
      if (held === undefined) return ''
      const rest = held
      held = undefined
      return append(rest)
    },
    skip(delta) {
      if (cumulative || held !== undefined || delta.textBytes >= length) return false
      if (length < KEPT_UNITS) unread += delta.rawText
      length += delta.textUnits
      return true
    },
  }
}

function toText(raw: string): string {
  return JSON.parse(`"${Buffer.from(raw, 'latin1').toString()}"`) as string
}
