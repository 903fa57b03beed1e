import { describe, expect, test } from 'vitest'
import { isAboutSchemas, isRefusal, toAmazonQError } from './failures.ts'
import { readReport, toReport, type Report } from './report.ts'

const NOW = Date.UTC(2026, 10, 20, 12)
const DAY = Date.UTC(2026, 10, 21)
const MONTH = Date.UTC(2026, 11, 1)
const TEN_MINUTES = NOW + 600_000
const HOUR = NOW + 3_600_000

/** An answer with an error status, the name of the exception in a header. */
function answered(status: number, name: string, message: string, reason: string | null = null): Report {
  const headers = { 'content-type': 'application/json', ...(name !== '' && { 'x-amzn-errortype': name }) }
  return toReport({ status, headers, body: Buffer.from(JSON.stringify({ message, reason })) }, NOW)
}

const busy = 'I am experiencing high traffic, please try again shortly.'
const load = 'Encountered unexpectedly high load when processing the request, please try again.'
const ok = { state: 'ok' }
const quota = (untilMs: number): object => ({ state: 'quota-exhausted', untilMs })
const throttled = { state: 'rate-limited', untilMs: undefined }
const refused = { state: 'auth-expired', untilMs: TEN_MINUTES }

test.each<[Report, code: string, verdict: object | undefined]>([
  [
    answered(400, 'ValidationException', 'Input is too long.', 'CONTENT_LENGTH_EXCEEDS_THRESHOLD'),
    'context_length_exceeded',
    ok,
  ],
  [answered(400, '', 'Input is too long.'), 'context_length_exceeded', ok],
  [answered(400, 'ValidationException', 'Invalid model.', 'INVALID_MODEL_ID'), 'model_not_found', ok],
  [answered(400, 'ValidationException', 'Improperly formed request.'), 'upstream_rejected', ok],
  [answered(400, 'ValidationException', 'No such picture.', 'IMAGE_FORMAT_UNSUPPORTED'), 'upstream_rejected', ok],
  [answered(400, 'ValidationException', 'profileArn is required for this request.'), 'upstream_rejected', ok],
  [
    answered(400, 'ThrottlingException', 'Maximum Request reached for this month.', 'MONTHLY_REQUEST_COUNT'),
    'insufficient_quota',
    quota(MONTH),
  ],
  [answered(400, 'ThrottlingException', 'Maximum Request reached for this month.'), 'insufficient_quota', quota(MONTH)],
  [
    answered(402, 'ServiceQuotaExceededException', 'You have reached the limit.', 'MONTHLY_REQUEST_COUNT'),
    'insufficient_quota',
    quota(MONTH),
  ],
  [
    answered(402, '', 'You have reached the limit.', 'OVERAGE_REQUEST_LIMIT_EXCEEDED'),
    'insufficient_quota',
    quota(MONTH),
  ],
  [answered(402, '', 'You have reached the limit.', 'CONVERSATION_LIMIT_EXCEEDED'), 'insufficient_quota', ok],
  [answered(402, '', ''), 'insufficient_quota', quota(MONTH)],
  [answered(429, 'ThrottlingException', 'Slow down.', 'MONTHLY_REQUEST_COUNT'), 'insufficient_quota', quota(MONTH)],
  [answered(429, 'ThrottlingException', 'Slow down.', 'DAILY_REQUEST_COUNT'), 'insufficient_quota', quota(DAY)],
  [answered(429, 'ThrottlingException', busy, 'INSUFFICIENT_MODEL_CAPACITY'), 'upstream_overloaded', ok],
  [answered(429, 'ThrottlingException', 'Too many requests.'), 'rate_limit_exceeded', throttled],
  [answered(429, '', '60-minute credit limit exceeded'), 'rate_limit_exceeded', quota(HOUR)],
  [
    answered(403, 'AccessDeniedException', 'The bearer token included in the request is invalid.'),
    'upstream_auth_failed',
    refused,
  ],
  [answered(403, '', ''), 'upstream_auth_failed', refused],
  [answered(401, '', ''), 'upstream_auth_failed', refused],
  [answered(400, 'ExpiredTokenException', 'The security token is expired.'), 'upstream_auth_failed', refused],
  [
    answered(403, 'AccessDeniedException', 'Your User ID (d-123) temporarily is suspended.', 'TEMPORARILY_SUSPENDED'),
    'upstream_auth_failed',
    { state: 'suspended', untilMs: undefined },
  ],
  [
    answered(403, 'AccessDeniedException', 'User is not authorized to make this call.'),
    'upstream_auth_failed',
    { state: 'suspended', untilMs: TEN_MINUTES },
  ],
  [answered(403, 'AccessDeniedException', 'No.', 'FEATURE_NOT_SUPPORTED'), 'upstream_auth_failed', ok],
  [answered(404, 'UnknownOperationException', ''), 'upstream_bad_response', ok],
  [answered(409, 'ConflictException', 'The key is off.', 'CUSTOMER_KMS_KEY_DISABLED'), 'upstream_rejected', ok],
  [answered(413, '', 'Too large.'), 'request_too_large', undefined],
  [answered(500, 'InternalServerException', load), 'upstream_overloaded', ok],
  [answered(500, 'InternalServerException', 'Oh.', 'MODEL_TEMPORARILY_UNAVAILABLE'), 'upstream_overloaded', ok],
  [answered(500, 'InternalServerException', 'Oh.'), 'upstream_error', ok],
  [answered(503, 'ServiceUnavailableException', 'The service is temporarily unavailable.'), 'upstream_overloaded', ok],
  [answered(504, '', ''), 'upstream_timeout', undefined],
  [readReport({ message: 'Oh.', reason: null }, 'error'), 'upstream_error', undefined],
  [readReport({ message: 'Too many requests.' }, 'ThrottlingException'), 'rate_limit_exceeded', throttled],
  [readReport({ message: 'Bad.' }, 'ValidationException'), 'upstream_rejected', ok],
  [readReport({ message: 'No.' }, 'AccessDeniedException'), 'upstream_auth_failed', refused],
  [readReport({ message: 'Oh.', reason: 'MONTHLY_REQUEST_COUNT' }, 'error'), 'insufficient_quota', quota(MONTH)],
  [readReport({ message: 'Bad.', reason: 'TOOL_SCHEMA_INVALID' }, 'error'), 'upstream_rejected', ok],
  [readReport('', 'InternalFailure'), 'upstream_error', ok],
])('%j is %s', (report, code, verdict) => {
  const error = toAmazonQError(report, [], NOW)
  expect({ code: error.code, verdict: error.verdict }).toEqual({ code, verdict })
  expect(error.message).not.toBe('')
  expect(isRefusal(error)).toBe(verdict === refused)
})

describe('a report', () => {
  test('finds the name in the body, without its namespace and what stands behind it', () => {
    expect(readReport({ __type: 'com.amazon.coral.service#ThrottlingException:http://internal/' }).name).toBe(
      'ThrottlingException',
    )
  })

  test('has the words under whichever name, and how long to wait', () => {
    const body = Buffer.from('{"Message":"Wait."}')
    const report = toReport({ status: 429, headers: { 'retry-after': '7' }, body }, NOW)
    expect(report).toMatchObject({ message: 'Wait.', reason: '', retryAfterMs: 7000 })
  })
})

const words = (report: Report, secrets: readonly string[] = []): string => toAmazonQError(report, secrets, NOW).message

describe('a message', () => {
  test('holds no secret of the request, and tells not whose account it was', () => {
    const said = 'User: arn:aws:iam::123456789012:user/miller with test-secret-token is not authorized to do that'
    expect(words(answered(403, '', said), ['test-secret-token'])).toBe(
      'The upstream does not let this account in (User: [masked] with [masked] is not authorized to do that).',
    )
    const suspended = answered(403, '', 'Your User ID (d-123.abc) temporarily is suspended.', 'TEMPORARILY_SUSPENDED')
    expect(words(suspended)).toContain('Your User ID [masked] temporarily is suspended')
    expect(words(suspended)).not.toContain('d-123')
  })

  test('is not mistaken for a header with a token in it', () => {
    const invalid = answered(403, 'AccessDeniedException', 'The bearer token included in the request is invalid.')
    expect(words(invalid)).toContain('(The token included in the request is invalid)')
  })

  test('says what to do where the words say too little', () => {
    expect(words(answered(400, '', 'profileArn is required for this request.'))).toContain('Set the `profileArn`')
    expect(words(answered(400, '', 'Improperly formed request.'))).toContain('wrong `profileArn`')
    const schema = answered(400, 'ValidationException', 'Improperly formed request.', 'TOOL_SCHEMA_INVALID')
    expect(words(schema)).toBe('Improperly formed request. (TOOL_SCHEMA_INVALID)')
  })
})

test.each<[Report, boolean]>([
  [answered(400, 'ValidationException', 'Improperly formed request.', 'TOOL_SCHEMA_INVALID'), true],
  [answered(400, 'ValidationException', 'Improperly formed request.'), true],
  [answered(400, 'ValidationException', 'Invalid tool use format.'), true],
  [answered(400, 'ValidationException', 'Improperly formed request.', 'REQUEST_BODY_INVALID'), false],
  [answered(400, 'ValidationException', 'Input is too long.'), false],
  [answered(500, 'InternalServerException', 'Improperly formed request.'), false],
  [readReport({ message: 'Improperly formed request.', reason: 'TOOL_SCHEMA_INVALID' }, 'ValidationException'), false],
])('%j may be about schemas: %s', (report, expected) => {
  expect(isAboutSchemas(toAmazonQError(report, [], NOW))).toBe(expected)
})
