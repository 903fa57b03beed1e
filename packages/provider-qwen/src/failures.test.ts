import { UpstreamError, type FailureCode } from '@millrace/core'
import { toUpstreamError } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { QwenError, toQwenError } from './failures.ts'

const NOW = Date.parse('2026-05-20T12:00:00Z')
const ADVICE = 'Look into the configuration.'
const CONTEXT = { advice: ADVICE, secrets: ['made-up-by-nobody'] }

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Status; code in the compatible dialect, and in the native one; words → code for clients, state and how long. */
type Row = readonly [
  status: number,
  codes: readonly [compat: string | null, native?: string],
  words: string,
  code: FailureCode,
  verdict: readonly [state: string, forMs?: number],
]

const INVALID = ['invalid_parameter_error', 'InvalidParameter'] as const
const QUOTA = ['insufficient_quota', 'Throttling.AllocationQuota'] as const
const OK = ['ok'] as const
const AUTH = ['auth-expired', 10 * MINUTE] as const
const OUT = ['suspended', 10 * MINUTE] as const
const UNPAID = ['suspended', 30 * MINUTE] as const
const RATE = ['rate-limited', 10 * SECOND] as const
const TOKENS = ['rate-limited'] as const
const SPENT = ['quota-exhausted', 30 * MINUTE] as const

const CATALOGUE: readonly Row[] = [
  [400, INVALID, 'Range of input length should be [1, 997952]', 'context_length_exceeded', OK],
  [400, INVALID, 'Range of max_tokens should be [1, 65536]', 'upstream_rejected', OK],
  [400, INVALID, 'thinking_budget is wrong', 'upstream_rejected', OK],
  [400, INVALID, "'messages' must contain the word 'json'", 'upstream_rejected', OK],
  [400, INVALID, 'Repetitive tool calls detected', 'upstream_rejected', OK],
  [400, INVALID, 'Model not exist.', 'model_not_found', OK],
  [400, INVALID, 'url error, please check url!', 'model_not_found', OK],
  [400, INVALID, 'bad request', 'upstream_rejected', OK],
  [
    400,
    ['data_inspection_failed', 'DataInspectionFailed'],
    'Input data may contain inappropriate content.',
    'content_filter',
    OK,
  ],
  [
    400,
    ['Arrearage'],
    'Access denied, please make sure your account is in good standing.',
    'upstream_auth_failed',
    UNPAID,
  ],
  [401, ['invalid_api_key', 'InvalidApiKey'], 'Incorrect API key provided.', 'upstream_auth_failed', AUTH],
  [401, ['invalid_api_key'], 'invalid access token or token expired', 'upstream_auth_failed', AUTH],
  [403, ['access_denied', 'AccessDenied'], 'Access denied.', 'upstream_auth_failed', OUT],
  [403, ['Model.AccessDenied'], 'Model access denied.', 'upstream_auth_failed', OK],
  [403, ['Workspace.AccessDenied'], 'Workspace access denied.', 'upstream_auth_failed', OUT],
  [403, ['AccessDenied.Unpurchased'], 'Not bought.', 'upstream_auth_failed', OUT],
  [403, ['AccessDenied'], 'current user api does not support synchronous calls', 'upstream_auth_failed', OK],
  [403, ['AllocationQuota.FreeTierOnly'], 'The free tier has been exhausted.', 'insufficient_quota', SPENT],
  [403, QUOTA, 'Free allocated quota exceeded.', 'insufficient_quota', SPENT],
  [429, QUOTA, 'Free allocated quota exceeded.', 'insufficient_quota', SPENT],
  [429, QUOTA, 'hour allocated quota exceeded', 'insufficient_quota', SPENT],
  [429, QUOTA, 'week allocated quota exceeded', 'insufficient_quota', SPENT],
  [429, QUOTA, 'month allocated quota exceeded', 'insufficient_quota', SPENT],
  [
    429,
    QUOTA,
    'You exceeded your current quota, please check your plan and billing details.',
    'rate_limit_exceeded',
    TOKENS,
  ],
  [429, QUOTA, 'Allocated quota exceeded, please increase your quota limit.', 'rate_limit_exceeded', TOKENS],
  [404, ['model_not_found', 'ModelNotFound'], 'The model `x` does not exist.', 'model_not_found', OK],
  [404, ['model_not_supported'], 'Not in this mode.', 'model_not_found', OK],
  [
    429,
    ['limit_requests', 'Throttling.RateQuota'],
    'You exceeded your current requests list.',
    'rate_limit_exceeded',
    RATE,
  ],
  [
    429,
    ['limit_burst_rate', 'Throttling.BurstRate'],
    'Request rate increased too quickly.',
    'rate_limit_exceeded',
    RATE,
  ],
  [429, ['Throttling'], 'Requests throttling triggered.', 'rate_limit_exceeded', RATE],
  [429, ['CommodityNotPurchased'], 'Not bought.', 'upstream_auth_failed', UNPAID],
  [429, ['PrepaidBillOverdue'], 'A bill is overdue.', 'upstream_auth_failed', UNPAID],
  [429, ['PostpaidBillOverdue'], 'A bill is overdue.', 'upstream_auth_failed', UNPAID],
  [500, ['1302'], 'Slowly.', 'rate_limit_exceeded', RATE],
  [400, ['1305'], 'Slowly.', 'rate_limit_exceeded', RATE],
  [500, ['internal_error', 'InternalError.Algo'], "Expecting ',' delimiter: line 1 column 13", 'upstream_rejected', OK],
  [500, ['internal_error', 'InternalError.Algo'], 'list index out of range', 'upstream_rejected', OK],
  [500, ['RequestTimeOut'], 'Request timed out.', 'upstream_timeout', OK],
  [500, ['InternalError.Timeout'], 'Timed out.', 'upstream_timeout', OK],
  [503, ['ModelServingError'], 'Too many requests. Your requests are being throttled.', 'upstream_overloaded', OK],
  [503, ['ModelUnavailable'], 'Later.', 'upstream_overloaded', OK],
  [401, [null], '', 'upstream_auth_failed', AUTH],
  [403, [null], 'Forbidden', 'upstream_auth_failed', OUT],
  [403, [null], 'invalid api key', 'upstream_auth_failed', AUTH],
  [429, [null], '', 'rate_limit_exceeded', TOKENS],
  [429, [null], 'Free allocated quota exceeded.', 'insufficient_quota', SPENT],
]

/** The failure that a body is, as the stream reader throws it, in Qwen's words. */
function failureOf(body: unknown, status?: number, more: { isPage?: boolean; retryAfterMs?: number } = {}): QwenError {
  const { retryAfterMs, ...context } = more
  return toQwenError(toUpstreamError(body, { status, retryAfterMs }), { ...CONTEXT, ...context }, NOW) as QwenError
}

const factsOf = ({ code, verdict: { state, untilMs } }: QwenError): unknown => ({ code, state, untilMs })

describe.for(CATALOGUE)('%s %s %s', ([status, [compat, native = compat], words, code, [state, forMs]]) => {
  const expected = { code, state, untilMs: forMs === undefined ? undefined : NOW + forMs }

  test('in the compatible dialect', () => {
    const error = { code: compat, message: words, param: null, type: null }
    expect(factsOf(failureOf({ error, request_id: 'r' }, status))).toEqual(expected)
  })

  test('in the native one', () => {
    expect(factsOf(failureOf({ code: native, message: words, request_id: 'r' }, status))).toEqual(expected)
  })

  test('with its status and its code in front of the words', () => {
    const message = `<${status}> InternalError.Algo.${native ?? 'Unknown'}: ${words}`
    expect(factsOf(failureOf({ error: { code: 'internal_error', message, type: null } }, 400))).toEqual(expected)
  })
})

test.for<[name: string, body: unknown, code: FailureCode, state: string]>([
  [
    'throttled tokens',
    { message: 'Throttling: TPM(1000000/1000000)', type: 'error_finish' },
    'rate_limit_exceeded',
    'rate-limited',
  ],
  [
    'an allocated quota',
    { code: 'Throttling.AllocationQuota', message: 'Allocated quota exceeded.' },
    'rate_limit_exceeded',
    'rate-limited',
  ],
  ['an inspection', { error: { code: 'data_inspection_failed', message: 'Output data.' } }, 'content_filter', 'ok'],
  ['words alone', { error: { message: 'Free allocated quota exceeded.' } }, 'insufficient_quota', 'quota-exhausted'],
])('%s in the middle of a stream', ([, body, code, state]) => {
  expect(failureOf(body)).toMatchObject({ code, verdict: { state } })
})

describe('when to try again', () => {
  test('is told by the upstream, if it tells', () => {
    for (const code of ['limit_requests', 'insufficient_quota', 'Arrearage']) {
      const failure = failureOf({ error: { code, message: 'No.' } }, 429, { retryAfterMs: 7000 })
      expect(failure).toMatchObject({ verdict: { untilMs: NOW + 7000 }, retryAfterMs: 7000 })
    }
  })

  test('is told by its words, if they tell', () => {
    const message = 'week allocated quota exceeded, it will reset at 2026-05-25 00:00:00 +0800'
    const failure = failureOf({ error: { code: 'insufficient_quota', message } }, 429)
    expect(failure.verdict.untilMs).toBe(Date.parse('2026-05-24T16:00:00Z'))
  })
})

describe('a web page', () => {
  test.for([401, 403, 429, 503])('with the status %s is a firewall', status => {
    expect(failureOf('', status, { isPage: true })).toMatchObject({
      code: 'upstream_bad_response',
      verdict: { state: 'rate-limited' },
    })
  })

  test('with status 200 is one, too', () => {
    const error = new UpstreamError('upstream_bad_response', 'The upstream answered with a web page.')
    expect(toQwenError(error, { ...CONTEXT, isPage: true }, NOW)).toMatchObject({ verdict: { state: 'rate-limited' } })
  })

  test('with another status is what that says', () => {
    expect(failureOf('', 502, { isPage: true })).toMatchObject({ code: 'upstream_error' })
    expect(failureOf('', 504, { isPage: true })).toMatchObject({ code: 'upstream_timeout' })
  })
})

describe('the words', () => {
  test('of a refusal that may be one of place say what to look at', () => {
    const refusal = failureOf({ error: { code: 'invalid_api_key', message: 'Incorrect API key provided.' } }, 401)
    expect(refusal.message).toBe(
      `The upstream refused the credentials that the gateway holds for it (Incorrect API key provided). ${ADVICE}`,
    )
    const missing = failureOf({ error: { code: 'model_not_found', message: 'There is no x.' } }, 404)
    expect(missing.message).toBe(`There is no x. ${ADVICE}`)
  })

  test('of others are those of the upstream alone', () => {
    expect(failureOf({ error: { code: 'limit_requests', message: 'Slowly.' } }, 429).message).toBe('Slowly.')
  })

  test('hold no keys', () => {
    const message = 'No: made-up-by-nobody, sk-0123456789abcdef'
    for (const status of [400, 401, 429, 500]) {
      expect((failureOf({ error: { message } }, status) as Error).message).not.toMatch(/nobody|0123/)
    }
  })

  test('name the request to the log', () => {
    expect(
      failureOf({ error: { code: 'limit_requests', message: 'No.' }, request_id: 'abc' }, 429).cause,
    ).toMatchObject({
      message: 'The upstream calls it abc.',
    })
  })
})

test('what is in no catalogue stays what it is', () => {
  const errors = [
    new UpstreamError('connect_failed', 'No.', { cause: new Error('ECONNREFUSED') }),
    new UpstreamError('idle_timeout', 'Silence.'),
    new Error('a bug'),
    new QwenError('upstream_auth_failed', 'No.', { state: 'suspended' }),
    toUpstreamError({ error: { code: 'internal_error', message: 'An internal error has occurred.' } }, { status: 500 }),
  ]
  for (const error of errors) expect(toQwenError(error, CONTEXT, NOW)).toBe(error)
})
