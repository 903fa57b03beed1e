import { answerText } from '@millrace/simulator'
import { describe, expect, test } from 'vitest'
import { measureGrowth } from '../faults/process-numbers.ts'
import { ask } from './ask.ts'
import { gatewayWithAmazonQ, listAccounts } from './gateway-with-amazon-q.ts'

const world = gatewayWithAmazonQ(service => {
  const pair = ['first', 'second'].map(name => ({ name, accessToken: `aoa-canary-${name}` }))
  return {
    'amazon-q': { ...service, accessToken: 'aoa-canary' },
    pair: { ...service, accounts: pair },
    hasty: { ...service, accessToken: 'aoa-canary', timeouts: { firstByte: '300ms', idle: '300ms' } },
  }
})

const MIB = 1024 * 1024
/** What the scripts say before something goes wrong. */
const BEGINNING = 'the mill stands'

const chats = async (): Promise<number> => (await world.amazonQ.state()).stats.chats

const BROKEN = [
  'prelude-crc',
  'message-crc',
  'payload',
  'header-bytes',
  'length',
  'length-2gib',
  'length-4gib',
  'length-0',
  'length-15',
  'headers-past-frame',
  'headers-cut',
  'header-type',
  'header-doubled',
  'no-headers',
  'no-message-type',
  'message-type',
  'not-json',
  'not-object',
]

describe('a frame that is none', () => {
  test.for(BROKEN)('%s: what came before stays, and nothing behind it counts', async how => {
    const wish = `script=broken-frame&how=${how}`
    const behindText = await ask(world.client(), `[simulate: ${wish}]`)
    expect(behindText).toMatchObject({
      text: BEGINNING,
      finish: null,
      failure: { status: undefined, code: 'upstream_malformed', type: 'upstream_error' },
    })
    expect(await world.gateway.access(behindText.requestId)).toMatchObject({ ending: 'upstream_malformed' })
    for (const at of ['start', 'opened']) {
      const { failure } = await ask(world.client(), `[simulate: ${wish}&at=${at}]`)
      expect(failure).toMatchObject({ status: 502, code: 'upstream_malformed' })
    }
    const whole = await ask(world.client(), `[simulate: ${wish}]`, { stream: false })
    expect(whole).toMatchObject({ text: '', failure: { status: 502, code: 'upstream_malformed' } })
    const inCall = await ask(world.client(), `[simulate: ${wish}&at=tool]`)
    expect(inCall).toMatchObject({ finish: null, failure: { code: 'upstream_malformed' } })
  })

  test('nobody believes how long it says it is', async () => {
    const grown = await measureGrowth(world.gateway.pid, async () => {
      for (let round = 0; round < 5; round++) {
        for (const how of ['length', 'length-2gib', 'length-4gib', 'headers-past-frame']) {
          await ask(world.client(), `[simulate: script=broken-frame&how=${how}]`)
        }
      }
    })
    expect(grown).toBeLessThan(32 * MIB)
  })

  test('bytes that are no text become text', async () => {
    const { text, finish } = await ask(world.client(), '[simulate: script=broken-frame&how=not-utf-8]')
    expect([text, finish]).toEqual([`${BEGINNING}\ufffd${answerText(20)}`, 'stop'])
  })
})

test.for([
  // It says what is wrong, as failures do.
  ['json', 'upstream_error'],
  ['html', 'upstream_bad_response'],
  ['page', 'upstream_bad_response'],
  ['sse', 'upstream_malformed'],
  ['nothing', 'upstream_bad_response'],
])('what is no event stream is an error before the answer: %s', async ([script, code]) => {
  for (const stream of [true, false]) {
    const { failure } = await ask(world.client(), `[simulate: script=${script}]`, { stream })
    expect(failure).toMatchObject({ status: 502, code })
    expect(failure!.message).not.toMatch(/<\w|choices/)
  }
})

test.for(['cut', 'drop', 'reset'])('a connection that breaks off is never an end: %s', async script => {
  const seen = await ask(world.client(), `[simulate: script=${script}&bytes=600]`)
  expect(seen).toMatchObject({ finish: null, failure: { code: 'upstream_truncated' } })
  expect(seen.text).not.toBe('')
  expect(answerText(20).startsWith(seen.text)).toBe(true)
  const whole = await ask(world.client(), `[simulate: script=${script}&bytes=600]`, { stream: false })
  expect(whole.failure).toMatchObject({ status: 502, code: 'upstream_truncated' })
})

/** Each failure of the service: what it is called → status, code, and what the words have to hold. */
const FAILURES: readonly (readonly [error: string, status: number, code: string, words: RegExp])[] = [
  ['throttled', 429, 'rate_limit_exceeded', /Too many requests/],
  ['credit-window', 429, 'rate_limit_exceeded', /60-minute credit limit/],
  ['capacity', 503, 'upstream_overloaded', /high traffic/],
  ['high-load', 503, 'upstream_overloaded', /unexpectedly high load/],
  ['model-unavailable', 503, 'upstream_overloaded', /cannot be reached/],
  ['unavailable', 503, 'upstream_overloaded', /unavailable/],
  ['unavailable-500', 503, 'upstream_overloaded', /try again later/],
  ['monthly', 429, 'insufficient_quota', /quota for this month/],
  ['monthly-400', 429, 'insufficient_quota', /quota for this month/],
  ['monthly-429', 429, 'insufficient_quota', /quota for this month/],
  ['overage', 429, 'insufficient_quota', /quota for this month/],
  ['daily', 429, 'insufficient_quota', /quota for today/],
  ['conversation-limit', 429, 'insufficient_quota', /this conversation/],
  ['too-long', 400, 'context_length_exceeded', /maximum context length/],
  ['prompt-too-long', 400, 'context_length_exceeded', /maximum context length/],
  ['content-length', 400, 'context_length_exceeded', /maximum context length/],
  ['invalid-model', 404, 'model_not_found', /model/],
  ['improper', 400, 'upstream_rejected', /`profileArn` or region/],
  ['profile-required', 400, 'upstream_rejected', /Set the `profileArn`/],
  ['tool-schema-invalid', 400, 'upstream_rejected', /TOOL_SCHEMA_INVALID/],
  ['image-count-exceeded', 400, 'upstream_rejected', /IMAGE_COUNT_EXCEEDED/],
  ['kms-disabled', 400, 'upstream_rejected', /CUSTOMER_KMS_KEY_DISABLED/],
  ['invalid-token', 502, 'upstream_auth_failed', /credentials that the gateway holds/],
  ['expired-token-400', 502, 'upstream_auth_failed', /credentials that the gateway holds/],
  ['suspended', 502, 'upstream_auth_failed', /suspended the account.*only its support/],
  ['forbidden', 502, 'upstream_auth_failed', /does not let this account in/],
  ['feature-not-supported', 502, 'upstream_auth_failed', /does not let this account do that/],
  ['unknown-operation', 502, 'upstream_bad_response', /is `endpoint` right/],
  ['internal', 502, 'upstream_error', /unexpected error/],
]

/** Failures that are told from others by their name alone. */
const NAMED = new Set([
  'unavailable',
  'unavailable-500',
  'content-length',
  'invalid-token',
  'expired-token-400',
  'forbidden',
  'unknown-operation',
])

describe.for(FAILURES)('the failure %s', ([error, status, code, words]) => {
  test.for([
    ['json', true],
    ['rest', false],
    ['short', true],
    ['code', false],
  ] as const)('instead of an answer, written as %s (stream: %s)', async ([shape, stream]) => {
    const { failure } = await ask(world.client(), `[simulate: error=${error}&shape=${shape}]`, { stream })
    expect(failure).toMatchObject({ status, code })
    expect(failure!.message).toMatch(words)
    expect(await chats()).toBe(1)
  })

  test('in the answer, before its first words and behind them', async () => {
    for (const as of NAMED.has(error) ? ['name'] : ['name', 'member']) {
      const wish = `script=exception&as=${as}&error=${error}`
      await world.clearAccounts()
      const before = await ask(world.client(), `[simulate: ${wish}&at=opened]`)
      expect(before.failure).toMatchObject({ status, code })
      expect(before.failure!.message).toMatch(words)
      await world.clearAccounts()
      const behind = await ask(world.client(), `[simulate: ${wish}&more=1]`)
      // The answer, and not the question, is what has become too long.
      const end =
        error === 'content-length' ? { finish: 'length', failure: undefined } : { finish: null, failure: { code } }
      expect(behind).toMatchObject({ text: BEGINNING, ...end })
    }
  })
})

test.for([
  ['throttled', 429, 'rate_limit_exceeded'],
  ['expired-token', 502, 'upstream_auth_failed'],
  ['internal', 502, 'upstream_error'],
] as const)('an error that is in no model: %s', async ([error, status, code]) => {
  const before = await ask(world.client(), `[simulate: script=error-frame&error=${error}&at=opened]`)
  expect(before.failure).toMatchObject({ status, code })
  await world.clearAccounts()
  const behind = await ask(world.client(), `[simulate: script=error-frame&error=${error}&more=1]`)
  expect(behind).toMatchObject({ text: BEGINNING, finish: null, failure: { status: undefined, code } })
})

test('an event that says that the state is not valid', async () => {
  const before = await ask(world.client(), '[simulate: script=invalid-state&at=opened]')
  expect(before.failure).toMatchObject({ status: 400, code: 'upstream_rejected' })
  const behind = await ask(world.client(), '[simulate: script=invalid-state]')
  expect(behind).toMatchObject({ text: BEGINNING, finish: null, failure: { code: 'upstream_rejected' } })
})

test.for(['too-long', 'invalid-model', 'improper', 'tool-schema-invalid', 'kms-disabled', 'conversation-limit'])(
  'what is wrong with the request is no matter of accounts: %s',
  async error => {
    const { failure } = await ask(world.client(), `[simulate: error=${error}]`, { model: 'pair' })
    expect(failure?.headers?.get('x-should-retry')).toBe('false')
    expect(await chats()).toBe(1)
    expect((await listAccounts(world.gateway)).every(({ state }) => state === 'ok')).toBe(true)
  },
)

describe('silence', () => {
  test.for([true, false])('in the middle is told behind the words (stream: %s)', async stream => {
    const askedAt = performance.now()
    const seen = await ask(world.client(), '[simulate: script=stall&frames=4]', { model: 'hasty', stream })
    const told = stream ? { text: BEGINNING, failure: { status: undefined } } : { failure: { status: 504 } }
    expect(seen).toMatchObject({ finish: null, ...told, failure: { ...told.failure, code: 'idle_timeout' } })
    expect(performance.now() - askedAt).toBeGreaterThan(295)
    await world.amazonQ.until(({ stats }) => stats.streamsOpen === 0)
  })

  test.for([
    ['script=silence', 'first_byte_timeout'],
    ['script=stall&bytes=0', 'first_byte_timeout'],
    ['first=5000', 'first_byte_timeout'],
  ])('before the answer has a status of its own: %s', async ([wish, code]) => {
    const { failure } = await ask(world.client(), `[simulate: ${wish}]`, { model: 'hasty' })
    expect(failure).toMatchObject({ status: 504, code })
    await world.amazonQ.until(({ stats }) => stats.streamsOpen === 0)
  })

  test('that is short enough is none', async () => {
    const seen = await ask(world.client(), '[simulate: script=text&words=6&pace=150]', { model: 'hasty' })
    expect(seen).toMatchObject({ text: answerText(6), finish: 'stop', failure: undefined })
  })
})

describe.for([true, false])('a client that leaves (stream: %s)', stream => {
  test.for(['script=silence', 'script=stall', 'script=stall&bytes=0', 'script=text&words=500&pace=20'])(
    'closes the upstream within 250 ms: %s',
    async wish => {
      const controller = new AbortController()
      const messages = [{ role: 'user' as const, content: `[simulate: ${wish}]` }]
      const body = { model: 'amazon-q', messages, stream }
      const asked = world.client().chat.completions.create(body, { signal: controller.signal })
      asked.catch(() => undefined)
      await world.amazonQ.until(({ stats }) => stats.streamsOpen === 1)
      const leftAt = performance.timeOrigin + performance.now()
      controller.abort()
      const { stats } = await world.amazonQ.until(({ stats }) => stats.streamsAborted === 1)
      expect(stats.abortedAt! - leftAt).toBeLessThan(250)
      expect(stats.streamsOpen).toBe(0)
    },
  )
})
