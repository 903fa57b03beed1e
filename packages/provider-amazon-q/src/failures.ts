import type { FailedState, Verdict } from '@millrace/accounts'
import { mask, toSafeText, UpstreamError, type FailureCode } from '@millrace/core'
import { toUpstreamError } from '@millrace/sse-core'
import type { Report } from './report.ts'

/** A kind of failure: what clients are told, and what it means for the account. */
interface Kind {
  readonly code: FailureCode
  /** Without one the account is well. */
  readonly state?: FailedState
  /** When an account is tried again where the service does not say; without it the state's own limit counts. */
  readonly until?: (now: number) => number
  /** The member of the client's request that is at fault. */
  readonly param?: string
  /** Said before the service's words. */
  readonly says?: string
  /** Said behind them. */
  readonly advice?: string
  /** Whether the reason says what the words do not. */
  readonly tellsReason?: true
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const after =
  (ms: number) =>
  (now: number): number =>
    now + ms

function nextDay(now: number): number {
  return (Math.floor(now / (24 * HOUR)) + 1) * 24 * HOUR
}

function nextMonth(now: number): number {
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}

const KINDS = {
  contextLength: {
    code: 'context_length_exceeded',
    says: 'The request exceeds the maximum context length of the model',
  },
  month: {
    code: 'insufficient_quota',
    state: 'quota-exhausted',
    until: nextMonth,
    says: 'The account has used up its quota for this month',
  },
  day: {
    code: 'insufficient_quota',
    state: 'quota-exhausted',
    until: nextDay,
    says: 'The account has used up its quota for today',
  },
  // A matter of one conversation: the account goes on with all others.
  conversation: { code: 'insufficient_quota', says: 'The upstream takes no more requests of this conversation' },
  hour: { code: 'rate_limit_exceeded', state: 'quota-exhausted', until: after(HOUR) },
  capacity: { code: 'upstream_overloaded' },
  throttled: { code: 'rate_limit_exceeded', state: 'rate-limited' },
  suspended: {
    code: 'upstream_auth_failed',
    state: 'suspended',
    says: 'The upstream has suspended the account, as it does with unusual activity: only its support can undo that',
  },
  model: {
    code: 'model_not_found',
    param: 'model',
    says: 'The upstream does not know the model, or not for this account',
  },
  profile: {
    code: 'upstream_rejected',
    advice: 'Set the `profileArn` of the account in the configuration of the gateway.',
  },
  shape: {
    code: 'upstream_rejected',
    advice:
      'It says so, too, of a model that is not in the plan, of a wrong `profileArn` or region, and of a conversation that is too long.',
  },
  request: { code: 'upstream_rejected', tellsReason: true },
  // A matter of what was asked for: no reason to leave out the account for all else.
  feature: { code: 'upstream_auth_failed', says: 'The upstream does not let this account do that' },
  permission: {
    code: 'upstream_auth_failed',
    state: 'suspended',
    until: after(10 * MINUTE),
    says: 'The upstream does not let this account in',
  },
  token: {
    code: 'upstream_auth_failed',
    state: 'auth-expired',
    until: after(10 * MINUTE),
    says: 'The upstream refused the credentials that the gateway holds for it',
  },
  noSuchPlace: { code: 'upstream_bad_response', says: 'The upstream has no such operation; is `endpoint` right?' },
  server: { code: 'upstream_error' },
} as const satisfies Record<string, Kind>

interface Rule {
  readonly kind: keyof typeof KINDS
  readonly status?: number
  readonly name?: RegExp
  readonly reason?: RegExp
  readonly words?: RegExp
}

/**
 * What the service answers with. All that a rule names has to be there; the first rule that fits counts. The reason and the
 * words say more than the name and the status, which have changed from year to year: a spent month was 400, 402 and 429.
 */
const RULES: readonly Rule[] = [
  { kind: 'contextLength', reason: /^(?:CONTENT_LENGTH_EXCEEDS_THRESHOLD|PROMPT_TOO_LONG)$/ },
  { kind: 'contextLength', name: /^ContentLengthExceeded/ },
  { kind: 'contextLength', words: /input is too long|exceeded max chat context length/i },
  { kind: 'month', reason: /^(?:MONTHLY_REQUEST_COUNT|OVERAGE_REQUEST_LIMIT_EXCEEDED)$/ },
  { kind: 'month', words: /maximum request reached for this month|MONTHLY_REQUEST_COUNT/i },
  { kind: 'day', reason: /^DAILY_REQUEST_COUNT$/ },
  { kind: 'conversation', reason: /^CONVERSATION_LIMIT_EXCEEDED$/ },
  { kind: 'capacity', reason: /^(?:INSUFFICIENT_MODEL_CAPACITY|MODEL_TEMPORARILY_UNAVAILABLE)$/ },
  { kind: 'suspended', reason: /^TEMPORARILY_SUSPENDED$/ },
  { kind: 'suspended', words: /temporarily is suspended|temporarily suspended/i },
  { kind: 'month', name: /^ServiceQuotaExceeded/ },
  { kind: 'month', status: 402 },
  { kind: 'hour', words: /credit limit exceeded/i },
  { kind: 'model', reason: /^INVALID_MODEL_ID$/ },
  { kind: 'model', words: /^invalid model\b/i },
  { kind: 'profile', words: /profileArn is required/i },
  { kind: 'throttled', name: /^(?:Throttling|TooManyRequests)/ },
  { kind: 'throttled', status: 429 },
  { kind: 'feature', reason: /^(?:FEATURE_NOT_SUPPORTED|UNAUTHORIZED_)/ },
  { kind: 'token', name: /^(?:ExpiredToken|UnrecognizedClient|InvalidSignature|IncompleteSignature|MissingAuth)/ },
  { kind: 'permission', words: /not authorized to/i },
  { kind: 'token', status: 401 },
  { kind: 'token', status: 403 },
  { kind: 'token', name: /^AccessDenied/ },
  { kind: 'noSuchPlace', name: /^UnknownOperation/ },
  { kind: 'noSuchPlace', status: 404 },
  { kind: 'shape', reason: /^(?:REQUEST_BODY_INVALID)?$/, words: /improperly formed request/i },
  { kind: 'request', reason: /^(?:CUSTOMER_KMS|DOCUMENT|IMAGE|INVALID|MISMATCHED_KMS|THINKING_SIGNATURE|TOOL)_/ },
  { kind: 'request', name: /^(?:Validation|Serialization|Conflict)/ },
  { kind: 'request', status: 409 },
  { kind: 'capacity', words: /unexpectedly high load/i },
  { kind: 'capacity', name: /^ServiceUnavailable/ },
  { kind: 'server', name: /^Internal/ },
]

/** A failure together with what it means for the account. */
export class AmazonQError extends UpstreamError {
  /** Undefined where the code says all. */
  readonly verdict: Verdict | undefined

  constructor(
    code: FailureCode,
    message: string,
    verdict: Verdict | undefined,
    details?: ConstructorParameters<typeof UpstreamError>[2],
  ) {
    super(code, message, details)
    this.verdict = verdict
  }
}

/** The service sent what it does not send, as far as is known. */
export function malformed(what: string, cause?: unknown): UpstreamError {
  return new UpstreamError('upstream_malformed', `The upstream sent ${what}.`, { cause })
}

/** Whether the token was refused, so that another one may do better. */
export function isRefusal(error: unknown): boolean {
  return error instanceof AmazonQError && error.verdict?.state === 'auth-expired'
}

/** What is said of schemas of tools; the last of it is said of much else, too. */
const SCHEMA_WORDS = /invalid tool use format|improperly formed request/i

/** Whether the request was refused, before an answer began, for what may be the schemas of its tools. */
export function isAboutSchemas(error: unknown): boolean {
  if (!(error instanceof AmazonQError) || error.upstreamStatus !== 400) return false
  const { reason, message } = error.cause as Report
  return reason === 'TOOL_SCHEMA_INVALID' || (reason === '' && SCHEMA_WORDS.test(message))
}

/**
 * A failure that the service reported, fit to be shown.
 * @param secrets what no message may hold
 */
export function toAmazonQError(report: Report, secrets: readonly string[], now: number): AmazonQError {
  const { status: upstreamStatus, name, message, retryAfterMs } = report
  const details = { upstreamStatus, retryAfterMs, cause: report }
  const words = maskAll(toSafeText(message.replace(BEARER, 'token')), secrets)
  const rule = RULES.find(rule => fits(rule, report))
  if (rule === undefined) {
    const body = { message: words, ...(name !== '' && { code: maskAll(toSafeText(name), secrets) }) }
    const known = toUpstreamError(body, { status: upstreamStatus, retryAfterMs })
    return new AmazonQError(known.code, known.message, undefined, details)
  }
  const kind: Kind = KINDS[rule.kind]
  const reason = kind.tellsReason === true && report.reason !== '' ? `(${toSafeText(report.reason)})` : ''
  const said = [sayingOf(kind, words), reason, kind.advice].filter(Boolean).join(' ')
  return new AmazonQError(kind.code, said, verdictOf(kind, now), { ...details, param: kind.param })
}

function fits({ status, name, reason, words }: Rule, report: Report): boolean {
  return (
    (status === undefined || status === report.status) &&
    (name === undefined || name.test(report.name)) &&
    (reason === undefined || reason.test(report.reason)) &&
    (words === undefined || words.test(report.message))
  )
}

function sayingOf({ says }: Kind, words: string): string {
  if (says === undefined) return words || 'The upstream failed and gave no reason.'
  return words === '' ? `${says}.` : `${says} (${words.replace(/\.$/, '')}).`
}

function verdictOf({ state, until }: Kind, now: number): Verdict {
  return state === undefined ? { state: 'ok' } : { state, untilMs: until?.(now) }
}

/** Names of accounts, users and profiles: whose they are is no matter of those who are served. */
const IDENTITIES = /\barn:aws[^\s"',;)]*|\b(User ID )\([^)]*\)/g

/** Words that look like a header with a token in it. */
const BEARER = /\bbearer token\b/i

/** The words without names and secrets that they may repeat. */
function maskAll(words: string, secrets: readonly string[]): string {
  return mask(
    words.replace(IDENTITIES, (_all, label: string | undefined) => `${label ?? ''}[masked]`),
    secrets,
  )
}
