import { toPage } from '../error-shapes.ts'
import type { Answer } from '../scenario.ts'
import type { PollAnswer } from '../service/devices.ts'
import type { RefreshAnswer } from '../service/refreshes.ts'
import { toHtmlAnswer, toJsonAnswer } from '../service/route.ts'
import { WAF_PAGE } from './error-answer.ts'

/** An error as the sign-in server writes it. */
export function toSignInError(status: number, error: string, description?: string): Answer {
  return toJsonAnswer({ error, ...(description !== undefined && { error_description: description }) }, status)
}

/** What both grants may get instead of tokens: name → answer. */
const TROUBLE = {
  'server-error': toSignInError(500, 'server_error', 'simulated'),
  'gateway-timeout': toHtmlAnswer(504, toPage(504)),
  waf: toHtmlAnswer(200, WAF_PAGE),
  'waf-403': toHtmlAnswer(403, WAF_PAGE),
  'rate-limited': toSignInError(429, 'too_many_requests', 'simulated'),
  unauthorized: toSignInError(401, 'invalid_grant', 'simulated'),
  empty: { status: 200, body: '' },
  reset: { headless: true, ending: 'reset' },
  hang: { headless: true, ending: 'open' },
} as const satisfies Record<string, Answer>

/** What a poll may get: name → answer. After those of {@link FINAL} the device code is worth nothing. */
export const POLLS = {
  pending: toSignInError(400, 'authorization_pending', 'pending'),
  'pending-null': toJsonAnswer({ access_token: null, refresh_token: null, token_type: 'Bearer', expires_in: null }),
  'pending-status': toJsonAnswer({ status: 'pending' }),
  'slow-down': toSignInError(429, 'slow_down', 'polling too fast'),
  'slow-down-400': toSignInError(400, 'slow_down'),
  'error-200': toSignInError(200, 'authorization_pending'),
  expired: toSignInError(400, 'expired_token', 'the device code has expired'),
  denied: toSignInError(400, 'access_denied', 'the user said no'),
  ...TROUBLE,
} as const satisfies Record<string, Answer>

/** What a refresh may get instead of a token: name → answer. */
export const REFRESHES = {
  'error-200': toSignInError(200, 'invalid_grant', 'simulated'),
  invalid: toSignInError(400, 'invalid_request', 'Invalid refresh token or client_id'),
  ...TROUBLE,
} as const satisfies Record<string, Answer>

export type Poll = keyof typeof POLLS
export type Refresh = keyof typeof REFRESHES

export const POLL_NAMES = [...Object.keys(POLLS), 'page', 'success'] as readonly PollAnswer<Poll>[]
export const REFRESH_NAMES = [...Object.keys(REFRESHES), 'ok'] as readonly RefreshAnswer<Refresh>[]

export const FINAL: ReadonlySet<Poll> = new Set<Poll>(['expired', 'denied', 'unauthorized'])
