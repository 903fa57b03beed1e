import { UpstreamError } from '@millrace/core'

/** Shorter values are no secrets, and would turn up in words by chance. */
const MIN_LENGTH = 8

/** The words in headers that may be secrets, so that a key is found with and without what stands before it. */
export function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap(value => value.split(/\s+/))
}

/**
 * The words, with none of the secrets in them: some upstreams repeat the key that they refuse, and a key of no known kind
 * cannot be told from other words by its looks.
 */
export function mask(words: string, secrets: readonly string[]): string {
  let masked = words
  for (const secret of secrets) if (secret.length >= MIN_LENGTH) masked = masked.replaceAll(secret, '[masked]')
  return masked
}

/** What was thrown, with none of the secrets in its message. */
export function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof UpstreamError)) return error
  const message = mask(error.message, secrets)
  if (message === error.message) return error
  const { code, param, upstreamStatus, retryAfterMs, cause } = error
  return new UpstreamError(code, message, { param: param ?? undefined, upstreamStatus, retryAfterMs, cause })
}
