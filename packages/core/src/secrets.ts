/** Shorter values are no secrets, and would turn up in words by chance. */
const MIN_LENGTH = 8

/** The values in headers that may be secrets, so that a key is found with and without what stands before it. */
export function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  const words = Object.values(headers).flatMap(value => value.split(/[\s,]+/))
  return words.map(word => word.replace(/^\w+=(?=[^=])/, ''))
}

/**
 * The words, with none of the secrets in them: some upstreams repeat the key that they refuse, and a key of no known kind
 * cannot be told from other words by its looks.
 */
export function mask(words: string, secrets: readonly (string | undefined)[]): string {
  let masked = words
  for (const secret of secrets) {
    if (secret !== undefined && secret.length >= MIN_LENGTH) masked = masked.replaceAll(secret, '[masked]')
  }
  return masked
}
