import { UpstreamError } from '@millrace/core'
import type { Verdict } from './states.ts'

/** No working token is to be had. Tells the pool that the account is `auth-expired`, and when a new attempt is worth it. */
export class CredentialError extends UpstreamError {
  readonly verdict: Verdict

  constructor(message: string, { untilMs, cause }: { untilMs: number; cause: unknown }) {
    super('upstream_auth_failed', message, { cause })
    this.verdict = { state: 'auth-expired', untilMs }
  }
}

/**
 * Thrown by the refresh of a credential when the sign-in server has said that it is worth nothing any more
 * (`invalid_grant` and the like). `message` may be shown. All other errors count as passing.
 */
export class RefreshRefused extends Error {
  override readonly name = 'RefreshRefused'
}
