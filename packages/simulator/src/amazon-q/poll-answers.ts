import { toPage } from '../error-shapes.ts'
import type { Answer } from '../scenario.ts'
import type { PollAnswer } from '../service/devices.ts'
import type { RefreshAnswer } from '../service/refreshes.ts'
import { toHtmlAnswer } from '../service/route.ts'

/** An error as the sign-in service writes it. */
function toSignInError(status: number, error: string, exception: string, description = 'simulated'): Answer {
  return {
    status,
    headers: { 'x-amzn-errortype': exception },
    body: JSON.stringify({ error, error_description: description }),
  }
}

/** Every error of the sign-in service: what it is called → answer. */
export const SIGN_IN_ERRORS = {
  pending: toSignInError(400, 'authorization_pending', 'AuthorizationPendingException'),
  'slow-down': toSignInError(400, 'slow_down', 'SlowDownException'),
  expired: toSignInError(400, 'expired_token', 'ExpiredTokenException'),
  denied: toSignInError(400, 'access_denied', 'AccessDeniedException'),
  'invalid-grant': toSignInError(400, 'invalid_grant', 'InvalidGrantException', 'Invalid refresh token provided'),
  'invalid-client': toSignInError(401, 'invalid_client', 'InvalidClientException'),
  'unauthorized-client': toSignInError(400, 'unauthorized_client', 'UnauthorizedClientException'),
  'unsupported-grant': toSignInError(400, 'unsupported_grant_type', 'UnsupportedGrantTypeException'),
  'invalid-scope': toSignInError(400, 'invalid_scope', 'InvalidScopeException'),
  'invalid-request': toSignInError(400, 'invalid_request', 'InvalidRequestException'),
  reused: toSignInError(400, 'refresh_token_reused', 'InvalidGrantException'),
  revoked: toSignInError(400, 'refresh_token_revoked', 'InvalidGrantException'),
  'server-error': toSignInError(500, 'server_error', 'InternalServerException'),
  'rate-limited': toSignInError(429, 'too_many_requests', 'TooManyRequestsException'),
} as const satisfies Record<string, Answer>

/** What both polls and refreshes may get instead of tokens. */
const ANSWERS = {
  ...SIGN_IN_ERRORS,
  'gateway-timeout': toHtmlAnswer(504, toPage(504)),
  html: toHtmlAnswer(200, toPage(200)),
  json: { status: 200, body: '{"message":"no token"}' },
  cut: { status: 200, body: '{"accessToken":"aoaSi' },
  empty: { status: 200, body: '' },
  reset: { headless: true, ending: 'reset' },
  drop: { headless: true, ending: 'drop' },
  hang: { headless: true, ending: 'open' },
} as const satisfies Record<string, Answer>

export type SignInAnswer = keyof typeof ANSWERS

export const POLL_NAMES = [...Object.keys(ANSWERS), 'page', 'success'] as readonly PollAnswer<SignInAnswer>[]
export const REFRESH_NAMES = [...Object.keys(ANSWERS), 'ok'] as readonly RefreshAnswer<SignInAnswer>[]
export const SCRIPTED: Readonly<Record<SignInAnswer, Answer>> = ANSWERS

/** After those the device code is worth nothing. */
export const FINAL: ReadonlySet<SignInAnswer> = new Set<SignInAnswer>(['expired', 'denied', 'invalid-grant'])
