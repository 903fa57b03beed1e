/** Text that grows, as it stands between the quotes of JSON. */
export interface TextBuffer {
  /** Adds the bytes of `source` from `start` to `end`. */
  append(source: Uint8Array, start: number, end: number): void
  isEmpty(): boolean
  /** All of it, raw. */
  toRaw(): string
}

const INITIAL_BYTES = 256

export function createTextBuffer(): TextBuffer {
  let bytes = Buffer.allocUnsafe(INITIAL_BYTES)
  let length = 0
  return {
    append(source, start, end) {
      const needed = length + end - start
      if (needed > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(needed, 2 * bytes.length))
        bytes.copy(larger, 0, 0, length)
        bytes = larger
      }
      copyBytes(source, start, end, bytes, length)
      length = needed
    },
    isEmpty: () => length === 0,
    toRaw: () => bytes.toString('latin1', 0, length),
  }
}

const AFTER = Buffer.from('","sequence_number":')
const CLOSE = Buffer.from('}\n\n')

/** The event with a number that adds the bytes of `source` from `start` to `end` to a text; `before` is what stands before them. */
export function encodeDelta(
  before: Uint8Array,
  source: Uint8Array,
  start: number,
  end: number,
  sequence: number,
): Buffer {
  const number = String(sequence)
  const afterText = before.length + end - start
  const event = Buffer.allocUnsafe(afterText + AFTER.length + number.length + CLOSE.length)
  event.set(before)
  copyBytes(source, start, end, event, before.length)
  copyBytes(AFTER, 0, AFTER.length, event, afterText)
  let at = afterText + AFTER.length
  for (let digit = 0; digit < number.length; digit++) event[at++] = number.charCodeAt(digit)
  copyBytes(CLOSE, 0, CLOSE.length, event, at)
  return event
}

/** Up to as many bytes are copied faster one by one than by a call into native code. */
const FEW = 64

function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > FEW) target.set(source.subarray(start, end), at)
  else for (let from = start; from < end; from++) target[at++] = source[from]!
}
