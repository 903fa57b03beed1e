import { hash } from 'node:crypto'

/** Longer keys are kept as their digest, so that no client can fill the memory with them. */
const LONGEST_PLAIN_KEY = 64

/** Which value a key was last given, for the `capacity` keys that were used last. */
export interface Sticky<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  readonly size: number
}

export function createSticky<Value>(capacity = 10_000): Sticky<Value> {
  const values = new Map<string, Value>()
  return {
    get: key => values.get(compact(key)),
    set(key, value) {
      const name = compact(key)
      // Taken out first: the order of the map is that of the last use.
      values.delete(name)
      values.set(name, value)
      if (values.size <= capacity) return
      for (const oldest of values.keys()) {
        values.delete(oldest)
        return
      }
    },
    get size() {
      return values.size
    },
  }
}

function compact(key: string): string {
  return key.length > LONGEST_PLAIN_KEY ? hash('sha256', key, 'base64url') : key
}
