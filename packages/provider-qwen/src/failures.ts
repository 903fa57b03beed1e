import type { FailedState, Verdict } from '@millrace/accounts'
import { mask, toSafeText, UpstreamError, type FailureCode } from '@millrace/core'
import { withoutSecrets } from '@millrace/openai-dialect'
import { retryTimeOf } from './quota-reset.ts'
import { toReport, type Report } from './report.ts'

/** A kind of failure: what clients are told, and what it means for the account. */
interface Kind {
  readonly code: FailureCode
  /** Without one the account is well. */
  readonly state?: FailedState
  /** How long it is left alone where the upstream does not say, milliseconds; without it the state's own limit. */
  readonly forMs?: number
  /** Said before the upstream's words. */
  readonly says?: string
  /** Whether a key for another plan or region may be at fault. */
  readonly isMisplaced?: true
}

const SECOND = 1000
const MINUTE = 60 * SECOND

const REFUSED = 'The upstream refused the credentials that the gateway holds for it'

const KINDS = {
  contextLength: {
    code: 'context_length_exceeded',
    says: 'The request exceeds the maximum context length of the model',
  },
  request: { code: 'upstream_rejected' },
  content: { code: 'content_filter' },
  billing: {
    code: 'upstream_auth_failed',
    state: 'suspended',
    forMs: 30 * MINUTE,
    says: 'The upstream wants to be paid',
  },
  permission: {
    code: 'upstream_auth_failed',
    state: 'suspended',
    forMs: 10 * MINUTE,
    says: 'The upstream does not let this account in',
    isMisplaced: true,
  },
  // A matter of one model or one call: no reason to leave out the account for all others.
  modelPermission: { code: 'upstream_auth_failed', says: 'The upstream does not let this account use the model' },
  auth: { code: 'upstream_auth_failed', state: 'auth-expired', forMs: 10 * MINUTE, says: REFUSED, isMisplaced: true },
  model: { code: 'model_not_found', isMisplaced: true },
  rate: { code: 'rate_limit_exceeded', state: 'rate-limited', forMs: 10 * SECOND },
  // Tokens a minute, although the words are those of a spent quota.
  tokens: { code: 'rate_limit_exceeded', state: 'rate-limited' },
  quota: { code: 'insufficient_quota', state: 'quota-exhausted' },
  server: { code: 'upstream_error' },
  overloaded: { code: 'upstream_overloaded' },
  timeout: { code: 'upstream_timeout' },
  firewall: {
    code: 'upstream_bad_response',
    state: 'rate-limited',
    says: 'A firewall in front of the upstream answered with a web page',
  },
} as const satisfies Record<string, Kind>

interface Rule {
  readonly kind: keyof typeof KINDS
  readonly status?: number
  /** Found in the codes and types. */
  readonly label?: RegExp
  /** Found in the words. */
  readonly words?: RegExp
}

const QUOTA_LABEL = /insufficient_quota|AllocationQuota/
const HARD_QUOTA = /free allocated quota|(?:hour|week|month)\w* allocated quota|free tier/i

/** The catalogue of the services' errors. All that a rule names has to be there; the first rule that fits counts. */
const RULES: readonly Rule[] = [
  { kind: 'quota', label: /FreeTierOnly/ },
  { kind: 'quota', label: QUOTA_LABEL, words: HARD_QUOTA },
  { kind: 'tokens', label: QUOTA_LABEL },
  { kind: 'billing', label: /Arrearage|CommodityNotPurchased|(?:Pre|Post)paidBillOverdue/ },
  { kind: 'rate', label: /limit_requests|limit_burst_rate|Throttling|rate_limit|\b130[25]\b/ },
  { kind: 'content', label: /data_?inspection_?failed/i },
  { kind: 'content', words: /inappropriate content/i },
  { kind: 'contextLength', words: /range of input length/i },
  { kind: 'auth', label: /invalid_?api_?key/i },
  { kind: 'modelPermission', label: /Model\.AccessDenied/ },
  { kind: 'modelPermission', label: /access_?denied/i, words: /synchronous/i },
  { kind: 'permission', label: /access_?denied/i },
  { kind: 'model', label: /model_?not_?(?:found|supported)/i },
  { kind: 'model', words: /model not exist|url error/i },
  // What the client sent cannot be read, though the status says that it is the server's fault.
  { kind: 'request', words: /expecting ',' delimiter|list index out of range/i },
  { kind: 'request', label: /invalid_?parameter/i },
  { kind: 'timeout', label: /RequestTimeOut|InternalError\.Timeout/i },
  { kind: 'overloaded', label: /ModelServingError|ModelUnavailable/ },
  { kind: 'quota', words: HARD_QUOTA },
  // An error in the place of content has no code of its own.
  { kind: 'tokens', words: /throttling|allocated quota|\b[TR]PM\b/i },
  { kind: 'auth', words: /unauthorized|invalid (?:access token|api[- ]?key)|token expired|api key provided/i },
  { kind: 'auth', status: 401 },
  { kind: 'permission', status: 403 },
  { kind: 'tokens', status: 429 },
]

/** Statuses with which the firewall sends its page; with others a page is a gateway's, and the status says enough. */
const FIREWALL_STATUSES: ReadonlySet<number | undefined> = new Set([200, 401, 403, 405, 429, 503])

/** A failure together with what it means for the account. */
export class QwenError extends UpstreamError {
  readonly verdict: Verdict

  constructor(
    code: FailureCode,
    message: string,
    verdict: Verdict,
    details?: ConstructorParameters<typeof UpstreamError>[2],
  ) {
    super(code, message, details)
    this.verdict = verdict
  }
}

export interface FailureContext {
  /** Whether the answer was a web page. */
  readonly isPage?: boolean
  /** Said where the account may have been used in the wrong place. */
  readonly advice: string
  /** What no message may hold. */
  readonly secrets: readonly string[]
}

/**
 * A failure that the upstream reported, as the catalogue has it; where it has none, and for all else, what was thrown, with
 * no secrets in it.
 */
export function toQwenError(error: unknown, { isPage = false, advice, secrets }: FailureContext, now: number): unknown {
  if (!(error instanceof UpstreamError) || error instanceof QwenError) return error
  const report = toReport(error.cause, error.upstreamStatus)
  const kind = kindOf(error, report, isPage)
  if (kind === undefined) return withoutSecrets(error, secrets)
  const words = mask(toSafeText(report.message), secrets)
  const said = kind.says === undefined ? words || error.message : `${kind.says}${inBrackets(words)}.`
  const message = kind.isMisplaced === true && advice !== '' ? `${said} ${advice}` : said
  const { param, retryAfterMs } = error
  const cause = report.requestId === undefined ? error.cause : new Error(`The upstream calls it ${report.requestId}.`)
  const details = { param: param ?? undefined, retryAfterMs, upstreamStatus: report.status, cause }
  return new QwenError(kind.code, message, verdictOf(kind, report, retryAfterMs, now), details)
}

function kindOf(error: UpstreamError, report: Report, isPage: boolean): Kind | undefined {
  if (isPage && FIREWALL_STATUSES.has(error.upstreamStatus ?? 200)) return KINDS.firewall
  // What failed before the upstream said anything has no cause, or an error for one.
  if (error.cause === undefined || error.cause instanceof Error) return undefined
  const rule = RULES.find(
    ({ status, label, words }) =>
      (status === undefined || status === report.status) &&
      (label === undefined || label.test(report.label)) &&
      (words === undefined || words.test(report.message)),
  )
  return rule && KINDS[rule.kind]
}

function verdictOf(
  { state, forMs }: Kind,
  { message }: Report,
  retryAfterMs: number | undefined,
  now: number,
): Verdict {
  if (state === undefined) return { state: 'ok' }
  if (retryAfterMs !== undefined && retryAfterMs >= 0) return { state, untilMs: now + retryAfterMs }
  if (state === 'quota-exhausted') return { state, untilMs: retryTimeOf(message, now) }
  return { state, untilMs: forMs === undefined ? undefined : now + forMs }
}

function inBrackets(words: string): string {
  return words && ` (${words.replace(/\.$/, '')})`
}
