import type { Pause } from './pause.ts'

/** What is made JSON at once, in UTF-16 units of its text: well under a millisecond. */
const PIECE = 65_536

/** A value of plain objects, lists and primitives as JSON in UTF-8, made in pieces with pauses in between. */
export async function toJson(value: unknown, pause: Pause): Promise<Buffer> {
  const done: Buffer[] = []
  let text = ''
  for (const piece of toPieces(value)) {
    text += piece
    if (text.length < PIECE) continue
    done.push(Buffer.from(text))
    text = ''
    await pause()
  }
  done.push(Buffer.from(text))
  return Buffer.concat(done)
}

function* toPieces(value: unknown): Generator<string> {
  if (typeof value === 'string') yield* toSlices(value)
  else if (Array.isArray(value)) yield* toItems(value)
  else if (weightOf(value, PIECE) < PIECE) yield JSON.stringify(value)
  else yield* toMembers(value as object)
}

function* toMembers(value: object): Generator<string> {
  let before = '{'
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    yield `${before}${JSON.stringify(name)}:`
    yield* toPieces(member)
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}

/** Small items go together: a call into native code for each would cost more than all the rest. */
function* toItems(items: readonly unknown[]): Generator<string> {
  let before = '['
  let small: unknown[] = []
  let weight = 0
  for (const item of items) {
    const own = weightOf(item, PIECE)
    weight += own
    if (own < PIECE) small.push(item)
    if (weight < PIECE) continue
    if (small.length > 0) {
      yield before
      yield JSON.stringify(small).slice(1, -1)
      before = ','
    }
    if (own >= PIECE) {
      yield before
      yield* toPieces(item)
      before = ','
    }
    small = []
    weight = 0
  }
  if (small.length > 0) yield before + JSON.stringify(small).slice(1, -1)
  else if (before === '[') yield before
  yield ']'
}

/** A character cut in two comes out as two escapes, which are the same character in JSON. */
function* toSlices(text: string): Generator<string> {
  yield '"'
  for (let at = 0; at < text.length; at += PIECE) yield JSON.stringify(text.slice(at, at + PIECE)).slice(1, -1)
  yield '"'
}

/** About how long the JSON of a value is; the count ends at `limit`. */
function weightOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length
  let weight = 8
  if (typeof value !== 'object' || value === null) return weight
  for (const member of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
    if (weight >= limit) break
    weight += 8 + weightOf(member, limit - weight)
  }
  return weight
}
