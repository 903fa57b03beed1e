import { describe, expect, test } from 'vitest'
import { parseFailureBody, retryAfterOf, toUpstreamError } from './upstream-failure.ts'

/** What is made of a body with this status. */
const told = (status: number, body: string, contentType = 'application/json'): [string, string] => {
  const error = toUpstreamError(parseFailureBody(Buffer.from(body), contentType), { status })
  return [error.code, error.message]
}

describe('shapes (§6.4)', () => {
  test.each([
    ['OpenAI', '{"error":{"message":"No good.","type":"invalid_request_error","param":"n","code":null}}'],
    ['a numeric code', '{"error":{"message":"No good.","type":"BadRequestError","code":400}}'],
    ['a text', '{"error":"No good."}'],
    ['a text and a code', '{"code":"x","error":"No good."}'],
    ['a list', '[{"error":{"code":400,"message":"No good.","status":"INVALID_ARGUMENT"}}]'],
    ['flat', '{"object":"error","message":"No good.","type":"x","code":"y"}'],
    ['flat without an object', '{"message":"No good.","type":"x","code":"y"}'],
    ['detail', '{"detail":"No good."}'],
    ['detail as an object', '{"detail":{"message":"No good."}}'],
    ['AWS', '{"__type":"ValidationException","message":"No good."}'],
    ['AWS, large', '{"Message":"No good."}'],
    ['DashScope', '{"code":"InvalidParameter","message":"No good.","request_id":"r"}'],
    [
      'DashScope as an event',
      'id:1\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"InvalidParameter","message":"No good."}\n\n',
    ],
    ['fault', '{"fault":{"faultstring":"No good.","detail":{"errorcode":"x"}}}'],
    ['a message', '{"message":"No good."}'],
    ['errors', '{"errors":[{"message":"No good."}]}'],
    ['words', 'No good.'],
  ])('%s', (_, body) => {
    expect(told(400, body)).toEqual(['upstream_rejected', 'No good.'])
  })

  test('a list of details tells where', () => {
    const body = '{"detail":[{"loc":["body","n"],"msg":"too large","type":"x"},{"loc":["body"],"msg":"bad"}]}'
    expect(told(422, body)).toEqual(['upstream_rejected', 'body.n: too large; body: bad'])
  })

  test.each([
    ['a web page', '<html><body><h1>Bad gateway</h1></body></html>', 'text/html'],
    ['a web page by another name', '  <!doctype html><p>x', 'text/plain'],
    ['nothing', '', 'application/json'],
    ['an empty object', '{}', 'application/json'],
    ['null', 'null', 'application/json'],
  ])('%s says no more than its status', (_, body, type) => {
    expect(told(502, body, type)).toEqual(['upstream_error', 'The upstream failed (status 502).'])
  })

  test('the parameter at fault is handed on', () => {
    expect(toUpstreamError({ error: { message: 'x', param: 'messages.[0]' } }, { status: 400 }).param).toBe(
      'messages.[0]',
    )
    expect(toUpstreamError({ error: { message: 'x', param: null } }, { status: 400 }).param).toBeNull()
  })

  test('words are shown only as far as they are safe', () => {
    const [, message] = told(
      400,
      JSON.stringify({ error: { message: `Key sk-${'x'.repeat(20)} <script>\n\u0007${'y'.repeat(5000)}` } }),
    )
    expect(message).toMatch(/^Key \[masked\] y+…$/)
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048)
  })

  test('the body is kept for the log', () => {
    const body = { error: { message: 'x', secret: 1 } }
    expect(toUpstreamError(body, { status: 400, retryAfterMs: 5 })).toMatchObject({
      cause: body,
      upstreamStatus: 400,
      retryAfterMs: 5,
    })
  })
})

const error = (members: object): string => JSON.stringify({ error: members })

describe('what it means', () => {
  test.each<[number, string, string]>([
    [400, error({ message: 'x' }), 'upstream_rejected'],
    [401, error({ message: 'x' }), 'upstream_auth_failed'],
    [402, error({ message: 'x' }), 'insufficient_quota'],
    [403, error({ message: 'x' }), 'upstream_auth_failed'],
    [404, error({ message: 'The model `x` does not exist', code: 'model_not_found' }), 'model_not_found'],
    [404, error({ message: 'Not found' }), 'upstream_bad_response'],
    [405, error({ message: 'x' }), 'upstream_bad_response'],
    [408, error({ message: 'x' }), 'upstream_timeout'],
    [413, error({ message: 'x' }), 'request_too_large'],
    [422, error({ message: 'x' }), 'upstream_rejected'],
    [429, error({ message: 'x' }), 'rate_limit_exceeded'],
    [429, error({ message: 'x', code: 'insufficient_quota' }), 'insufficient_quota'],
    [429, error({ message: 'You exceeded your current quota, please check your plan' }), 'insufficient_quota'],
    [
      429,
      '{"code":"Throttling.AllocationQuota","message":"Allocated quota exceeded, please increase it."}',
      'rate_limit_exceeded',
    ],
    [500, error({ message: 'x' }), 'upstream_error'],
    [502, error({ message: 'x' }), 'upstream_error'],
    [503, error({ message: 'x' }), 'upstream_overloaded'],
    [504, error({ message: 'x' }), 'upstream_timeout'],
    [524, '<html>', 'upstream_timeout'],
    [529, error({ message: 'x' }), 'upstream_overloaded'],
    [400, error({ message: "This model's maximum context length is 8192 tokens" }), 'context_length_exceeded'],
    [400, error({ message: 'prompt is too long: 9 tokens > 8 maximum' }), 'context_length_exceeded'],
    [400, error({ message: 'x', code: 'context_length_exceeded' }), 'context_length_exceeded'],
    [400, error({ message: 'Range of input length should be [1, 30720]' }), 'context_length_exceeded'],
    [500, error({ message: 'maximum context length' }), 'upstream_error'],
    [400, error({ message: 'x', code: 'content_filter' }), 'content_filter'],
    [400, error({ message: 'x', code: 'data_inspection_failed' }), 'content_filter'],
    [400, '{"code":"DataInspectionFailed","message":"x"}', 'content_filter'],
    [400, '{"__type":"ThrottlingException","message":"x"}', 'rate_limit_exceeded'],
  ])('%i %s: %s', (status, body, code) => {
    expect(told(status, body)[0]).toBe(code)
  })

  test.each([
    [{ error: { code: 503, message: 'x' } }, 'upstream_overloaded'],
    [{ error: { message: 'Rate limit reached' } }, 'rate_limit_exceeded'],
    [{ error: { type: 'overloaded_error', message: 'x' } }, 'upstream_overloaded'],
    [{ error: { type: 'invalid_request_error', message: 'x' } }, 'upstream_rejected'],
    [{ error: { code: 'insufficient_quota', message: 'x' } }, 'insufficient_quota'],
    [{ error: { message: 'x' } }, 'upstream_error'],
  ])('in the middle of a stream: %j: %s', (body, code) => {
    expect(toUpstreamError(body).code).toBe(code)
  })

  test('a code is shown where there are no words', () => {
    expect(toUpstreamError({ error: { code: 'InternalError' } }).message).toBe('The upstream failed (InternalError).')
  })

  test('credentials that were refused are ours, and the words say so', () => {
    expect(told(401, error({ message: 'Incorrect API key' }))[1]).toBe(
      'The upstream refused the credentials that the gateway holds for it (Incorrect API key).',
    )
  })
})

describe('how long to wait', () => {
  const NOW = Date.parse('2026-11-20T12:00:00Z')
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '1' }, 1000],
    [{ 'retry-after': ' 1.5 ' }, 1500],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '121' }, 121_000],
    [{ 'retry-after-ms': '700', 'retry-after': '9' }, 700],
    [{ 'retry-after-ms': '', 'retry-after': '9' }, 9000],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
    [{ 'retry-after-ms': '-5' }, undefined],
    [{ 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'later' }, undefined],
    [{ 'retry-after': '1e9' }, undefined],
    [{ 'retry-after': '' }, undefined],
  ])('%j: %s', (headers, ms) => {
    expect(retryAfterOf(headers, NOW)).toBe(ms)
  })
})
