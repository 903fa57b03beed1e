import { isObject, parseJson } from '@millrace/core'

/** Half characters and members without a name: for both, the service refuses the whole request. */
const REFUSED = /\\u[dD][89a-fA-F]|""\s*:/

/**
 * What JSON text holds, without what the service refuses anywhere in it: half characters become U+FFFD, members without
 * a name are called `_`. Undefined where it is no JSON.
 */
export function parseAcceptable(text: string): unknown {
  const value = parseJson(text)
  return text.isWellFormed() && !REFUSED.test(text) ? value : toAcceptable(value)
}

function toAcceptable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(toAcceptable)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name === '' ? '_' : name.toWellFormed(), toAcceptable(member)]),
  )
}

/** The first `length` UTF-16 units of a text at most, and never half a character. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text
  const isHalf = (text.charCodeAt(length - 1) & 0xfc00) === 0xd800
  return text.slice(0, isHalf ? length - 1 : length)
}
