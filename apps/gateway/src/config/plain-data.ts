import type { Path } from './config-error.ts'

export type Members = Readonly<Record<string, unknown>>

/** Whether `value` is an object with named members, and no list. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `value` with what stands at `path` replaced, and missing objects on the way made; as it was where there is no way. */
export function replaceAt(value: unknown, [name, ...rest]: Path, replacement: unknown): unknown {
  if (name === undefined) return replacement
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === name ? replaceAt(item, rest, replacement) : item))
  }
  if (value !== undefined && !isMembers(value)) return value
  const key = String(name)
  return { ...value, [key]: replaceAt(value?.[key], rest, replacement) }
}
