import { UpstreamError } from '@millrace/core'

/** Shorter values are no secrets, and would turn up in words by chance. */
const MIN_LENGTH = 8

/**
 * What was thrown, with none of the secrets in its message: some upstreams repeat the key that they refuse, and a key of
 * no known kind cannot be told from other words by its looks.
 */
export function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof UpstreamError)) return error
  let { message } = error
  for (const secret of secrets) if (secret.length >= MIN_LENGTH) message = message.replaceAll(secret, '[masked]')
  if (message === error.message) return error
  const { code, param, upstreamStatus, retryAfterMs, cause } = error
  return new UpstreamError(code, message, { param: param ?? undefined, upstreamStatus, retryAfterMs, cause })
}
