import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { answerText } from '../words.ts'
import { askQwen, faultOf } from './ask-qwen.ts'
import { describeQwen } from './describe-qwen.ts'
import { SHAPES } from './error-answer.ts'
import { ERROR_NAMES, ERRORS } from './errors.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const ask = (wish: string, stream = true): Promise<Reply> => askQwen(simulator, `qwen3-coder-plus?${wish}`, { stream })

/** Status, codes in both dialects, and words: one line for each row of the catalogue, written down once more. */
const CATALOGUE = [
  ['input-length', 400, 'invalid_parameter_error', 'InvalidParameter', /^Range of input length should be \[1, \d+\]$/],
  ['max-tokens', 400, 'invalid_parameter_error', 'InvalidParameter', /^Range of max_tokens should be \[1, \d+\]$/],
  ['thinking-budget', 400, 'invalid_parameter_error', 'InvalidParameter', /thinking_budget/],
  [
    'thinking-whole',
    400,
    'invalid_parameter_error',
    'InvalidParameter',
    /enable_thinking must be set to false for non-/,
  ],
  ['stream-only', 400, 'invalid_parameter_error', 'InvalidParameter', /only support stream mode/],
  ['json-word', 400, 'invalid_parameter_error', 'InvalidParameter', /'messages' must contain the word 'json'/],
  ['tool-choice', 400, 'invalid_parameter_error', 'InvalidParameter', /does not support being set to required/],
  ['repeated-calls', 400, 'invalid_parameter_error', 'InvalidParameter', /^Repetitive tool calls detected$/],
  ['model-not-exist', 400, 'invalid_parameter_error', 'InvalidParameter', /^Model not exist\.$/],
  ['url-error', 400, 'invalid_parameter_error', 'InvalidParameter', /^url error, please check url/],
  ['bad-request', 400, 'invalid_parameter_error', 'InvalidParameter', /^bad request$/],
  ['inspected-input', 400, 'data_inspection_failed', 'DataInspectionFailed', /^Input data may contain/],
  ['inspected-output', 400, 'data_inspection_failed', 'DataInspectionFailed', /^Output data may contain/],
  ['inspected-text', 400, 'data_inspection_failed', 'DataInspectionFailed', /^Input text data may contain/],
  ['arrearage', 400, 'Arrearage', 'Arrearage', /account is in good standing/],
  ['invalid-key', 401, 'invalid_api_key', 'InvalidApiKey', /^Incorrect API key provided\./],
  ['token-expired', 401, 'invalid_api_key', 'InvalidApiKey', /^invalid access token or token expired$/],
  ['access-denied', 403, 'access_denied', 'AccessDenied', /denied/],
  ['model-denied', 403, 'Model.AccessDenied', 'Model.AccessDenied', /denied/],
  ['workspace-denied', 403, 'Workspace.AccessDenied', 'Workspace.AccessDenied', /denied/],
  ['unpurchased', 403, 'AccessDenied.Unpurchased', 'AccessDenied.Unpurchased', /purchased/],
  ['agents-only', 403, 'access_denied', 'AccessDenied', /only available for Coding Agents/],
  ['free-tier-only', 403, 'AllocationQuota.FreeTierOnly', 'AllocationQuota.FreeTierOnly', /free tier/],
  ['free-quota', 429, 'insufficient_quota', 'Throttling.AllocationQuota', /^Free allocated quota exceeded\.$/],
  ['model-not-found', 404, 'model_not_found', 'ModelNotFound', /^The model `x` does not exist or you do not/],
  ['model-not-supported', 404, 'model_not_supported', 'ModelNotSupported', /compatible mode/],
  ['request-limit', 429, 'limit_requests', 'Throttling.RateQuota', /^You exceeded your current requests list\.$/],
  ['rate-limit', 429, 'limit_requests', 'Throttling.RateQuota', /^Requests rate limit exceeded/],
  ['burst-rate', 429, 'limit_burst_rate', 'Throttling.BurstRate', /^Request rate increased too quickly\./],
  [
    'token-limit',
    429,
    'insufficient_quota',
    'Throttling.AllocationQuota',
    /^You exceeded your current quota.*#token-lim/,
  ],
  ['allocated-quota', 429, 'insufficient_quota', 'Throttling.AllocationQuota', /please increase your quota limit\.$/],
  ['hour-quota', 429, 'insufficient_quota', 'Throttling.AllocationQuota', /^hour allocated quota exceeded$/],
  ['week-quota', 429, 'insufficient_quota', 'Throttling.AllocationQuota', /^week allocated quota exceeded$/],
  ['month-quota', 429, 'insufficient_quota', 'Throttling.AllocationQuota', /^month allocated quota exceeded$/],
  ['throttling', 429, 'Throttling', 'Throttling', /^Requests throttling triggered\.$/],
  ['not-purchased', 429, 'CommodityNotPurchased', 'CommodityNotPurchased', /purchased/],
  ['prepaid-overdue', 429, 'PrepaidBillOverdue', 'PrepaidBillOverdue', /overdue/],
  ['postpaid-overdue', 429, 'PostpaidBillOverdue', 'PostpaidBillOverdue', /overdue/],
  ['third-party-1302', 429, 1302, '1302', /./],
  ['third-party-1305', 429, 1305, '1305', /./],
  ['internal-error', 500, 'internal_error', 'InternalError', /^An internal error has occured/],
  ['broken-arguments', 500, 'internal_error', 'InternalError.Algo', /^Expecting ',' delimiter/],
  ['list-index', 500, 'internal_error', 'InternalError.Algo', /^list index out of range$/],
  ['request-timeout', 500, 'RequestTimeOut', 'RequestTimeOut', /./],
  ['internal-timeout', 500, 'InternalError.Timeout', 'InternalError.Timeout', /./],
  ['serving-error', 503, 'ModelServingError', 'ModelServingError', /throttled due to system capacity limits\.$/],
  ['unavailable', 503, 'ModelUnavailable', 'ModelUnavailable', /./],
  ['gateway-timeout', 504, null, 'GatewayTimeout', /^stream timeout$/],
  ['capacity', 529, null, 'Capacity', /./],
] as const

/** These are no rows of their own, or have no JSON. */
const OTHERS = ['waf', 'no-route', 'invalid-parameter']

describe('the catalogue of errors', () => {
  it.each(CATALOGUE)('%s', async (name, status, code, native, words) => {
    const compat = await ask(`error=${name}`)
    expect(faultOf(compat)).toEqual([status, code, expect.stringMatching(words)])
    expect(JSON.parse(compat.text)).toMatchObject({
      error: { param: null, type: expect.any(String) as string },
      request_id: compat.headers['x-request-id'],
    })
    expect(faultOf(await ask(`error=${name}&shape=native`))).toEqual([status, native, expect.stringMatching(words)])
  })

  it('is whole, and described', () => {
    expect([...CATALOGUE.map(([name]) => name as string), ...OTHERS].toSorted()).toEqual([...ERROR_NAMES].toSorted())
    const text = describeQwen()
    for (const name of ERROR_NAMES) expect(text).toContain(`${name.padEnd(20)} ${ERRORS[name].status}`)
  })

  it('comes for whole answers too, and at embeddings', async () => {
    expect((await ask('error=capacity', false)).status).toBe(529)
    const response = await fetch(`${simulator.baseUrls['singapore/payg']}/embeddings`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test-1' },
      body: JSON.stringify({ model: 'text-embedding-v4?error=throttling', input: 'mill' }),
    })
    expect(response.status).toBe(429)
  })
})

/** How each shape begins and what it is. */
const WRITTEN: Readonly<Record<(typeof SHAPES)[number], readonly [RegExp, string]>> = {
  compat: [
    /^\{"error":\{"code":"limit_requests","message":"No\.","param":null,"type":"limit_requests"\},"request_id":/,
    'application/json',
  ],
  'compat-id': [/^\{"error":\{"code":"limit_requests".*\},"id":"chatcmpl-[\w-]+","request_id":/, 'application/json'],
  'code-null': [/^\{"error":\{"code":null,"message":"No\."/, 'application/json'],
  'code-number': [/^\{"error":\{"code":429,"message":"No\."/, 'application/json'],
  native: [/^\{"code":"Throttling\.RateQuota","message":"No\.","request_id":"[\w-]+"\}$/, 'application/json'],
  sse: [
    /^id:1\nevent:error\n:HTTP_STATUS\/429\ndata:\{"request_id":"[\w-]+","code":"Throttling\.RateQuota","message":"No\."\}\n\n$/,
    'text/event-stream',
  ],
  html: [/^<!DOCTYPE html>/, 'text/html'],
  text: [/^No\.$/, 'text/plain'],
  empty: [/^$/, 'application/json'],
}

describe('the ways of writing an error', () => {
  it.each(SHAPES)('%s', async shape => {
    const [pattern, type] = WRITTEN[shape]
    const { status, text, headers } = await ask(`error=rate-limit&message=No.&shape=${shape}`)
    expect([status, headers['content-type']]).toEqual([429, type])
    expect(text).toMatch(pattern)
  })

  it('may hide the code in the words, or have another status', async () => {
    expect(faultOf(await ask('error=input-length&hidden=1'))[2]).toBe(
      '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 997952]',
    )
    expect((await ask('error=free-quota&status=403')).status).toBe(403)
  })

  it('waf is a page, unless another shape or status is asked for', async () => {
    const page = await ask('error=waf')
    expect([page.status, page.headers['content-type']]).toEqual([403, 'text/html'])
    expect(page.text).toMatch(/aliyun_waf_.*captcha/s)
    for (const status of [200, 429, 503]) expect((await ask(`error=waf&status=${status}`)).status).toBe(status)
  })
})

describe('when to come again', () => {
  it.each(['1', '121', 'soon', '-5'])('retry-after: %s', async value => {
    expect((await ask(`error=rate-limit&retryAfter=${value}`)).headers['retry-after']).toBe(value)
  })

  it.each([30, -30])('retry-after: a date in %i seconds', async seconds => {
    const value = (await ask(`error=rate-limit&retryAfter=date:${seconds}`)).headers['retry-after']!
    expect(value).toMatch(/GMT$/)
    expect(Math.abs(Date.parse(value) - Date.now() - seconds * 1000)).toBeLessThan(5000)
  })

  it('in milliseconds, or not at all', async () => {
    expect((await ask('error=rate-limit&retryAfterMs=700')).headers['retry-after-ms']).toBe('700')
    expect((await ask('error=rate-limit')).headers).not.toHaveProperty('retry-after')
  })

  it('may be only the first few times', async () => {
    const replies = [await ask('error=capacity&times=1'), await ask('error=capacity&times=1')]
    expect(replies.map(reply => reply.status)).toEqual([529, 200])
    expect(contentOf(replies[1]!)).toBe(answerText())
    const broken = [await ask('script=silent-close&times=1'), await ask('script=silent-close&times=1')]
    expect(broken.map(reply => reply.text.includes('[DONE]'))).toEqual([false, true])
  })
})

describe('wishes that make no sense', () => {
  it.each(['error=nothing', 'script=nothing', 'wrods=3', 'words=many', 'error=waf&shape=round', 'refuse=all'])(
    '%s is refused in words',
    async wish => {
      const [status, code, message] = faultOf(await ask(wish))
      expect([status, code]).toEqual([400, 'invalid_parameter_error'])
      expect(message).toMatch(/option|Option|script/)
    },
  )
})
