import { randomBytes } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A random identifier: the prefix, then `length` letters and digits. */
export function createId(prefix: string, length = 24): string {
  let id = prefix
  // 62 does not divide 256: the first letters come up a little more often, which does no harm to an identifier.
  for (const byte of randomBytes(length)) id += ALPHABET[byte % ALPHABET.length]
  return id
}
