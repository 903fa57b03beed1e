import { mask, UpstreamError } from '@millrace/core'

/** What was thrown, with none of the secrets in its message. */
export function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof UpstreamError)) return error
  const message = mask(error.message, secrets)
  if (message === error.message) return error
  const { code, param, upstreamStatus, retryAfterMs, cause } = error
  return new UpstreamError(code, message, { param: param ?? undefined, upstreamStatus, retryAfterMs, cause })
}
