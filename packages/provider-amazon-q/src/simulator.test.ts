import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chat, startSimulated, type Simulated } from './testing/simulated.ts'

let simulated: Simulated
beforeAll(async () => {
  simulated = await startSimulated()
})
afterEach(() => simulated.simulator.control.reset())
afterAll(() => simulated[Symbol.asyncDispose]())

const signal = new AbortController().signal
const tools = ['get_weather', 'lookup.with/odd-name'].map(name => ({
  type: 'function',
  function: { name, description: 'A tool', parameters: { type: 'object', properties: {} } },
}))

/** How often operations were asked for. */
const asked = (): number => simulated.simulator.state.calls.length

describe.each(['json', 'rest'])('flavour %s', flavour => {
  test('answers with text, under any model and under none', async () => {
    const provider = simulated.open({ accessToken: 'aoa-miller', flavour })
    for (const model of ['', 'claude-sonnet-4-5']) {
      const { text, finish, failure, accounts, breaches } = await chat(
        provider,
        'Hello [say Whole words.]',
        {},
        { model },
      )
      expect({ text, finish, failure, accounts }).toEqual({
        text: 'Whole words.',
        finish: 'stop',
        failure: undefined,
        accounts: ['default'],
      })
      expect(breaches).toEqual([])
    }
  })

  test('calls tools, also under names that the service does not take', async () => {
    const provider = simulated.open({ accessToken: 'aoa-miller', flavour })
    const content = 'Go [call get_weather {"city":"Paris"}]'
    const { calls, finish, failure, breaches } = await chat(provider, content, { tools })
    expect({ calls, finish, failure }).toEqual({
      calls: [{ name: 'get_weather', arguments: '{"city":"Paris"}' }],
      finish: 'tool_calls',
      failure: undefined,
    })
    expect(breaches).toEqual([])
  })

  test('tells thoughts from the answer where the model was told to think', async () => {
    const provider = simulated.open({ accessToken: 'aoa-miller', flavour })
    const { thoughts, text, failure } = await chat(provider, 'Why?', { reasoning_effort: 'high' })
    expect(failure).toBeUndefined()
    expect({ thoughts, text }).toEqual({ thoughts: expect.stringMatching(/./), text: expect.stringMatching(/^[^<]/) })
  })

  test('leaves out of schemas what the model refuses, in a second request', async () => {
    const provider = simulated.open({ accessToken: 'aoa-miller', flavour })
    const parameters = { type: 'object', properties: { city: { type: 'string', pattern: '^[A-Z]' } } }
    const rich = [{ type: 'function', function: { name: 'get_weather', parameters } }]
    const content = '[simulate: refuse=rich-schemas] [call get_weather {"city":"Paris"}]'
    const { calls, failure, breaches } = await chat(provider, content, { tools: rich })
    expect({ calls, failure, breaches }).toEqual({
      calls: [{ name: 'get_weather', arguments: '{"city":"Paris"}' }],
      failure: undefined,
      breaches: [],
    })
    expect(simulated.simulator.state.calls.map(({ status }) => status)).toEqual([400, 200])
  })

  test('lists the models, page by page', async () => {
    const provider = simulated.open({ accessToken: 'aoa-miller', flavour })
    simulated.simulator.control.setService({ modelPageSize: 2 })
    expect((await provider.models(signal)).map(({ id }) => id)).toEqual([
      'claude-sonnet-4.5',
      'claude-sonnet-4',
      'claude-3.7-sonnet',
      'claude-haiku-4.5',
      'claude-opus-4.5',
    ])
    expect(asked()).toBe(3)
  })

  test('renews a token that is refused, once, and repeats the request', async () => {
    const file = await simulated.writeEndedLogin(`renewed-${flavour}`)
    const provider = simulated.open({ accounts: [{ name: 'a', sso: { file } }], flavour })
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => chat(provider, '[say Renewed.]')))
    expect(outcomes.map(({ text, failure }) => ({ text, failure }))).toEqual(
      outcomes.map(() => ({ text: 'Renewed.', failure: undefined })),
    )
    expect(simulated.simulator.state.refreshes.asked).toBe(1)
  })
})

describe('accounts', () => {
  test.each([
    ['throttled', 'rate-limited'],
    ['spent', 'quota-exhausted'],
    ['suspended', 'suspended'],
    ['expired', 'auth-expired'],
  ])('one that is %s is %s, and another one serves', async (word, state) => {
    const provider = simulated.openBearers(`aoa-${word}`, 'aoa-well')
    const first = await chat(provider, '[say Served.]')
    expect(first).toMatchObject({ text: 'Served.', failure: undefined, accounts: [`aoa-${word}`, 'aoa-well'] })
    expect(provider.accounts?.list()[0]).toMatchObject({ name: `aoa-${word}`, state: { state } })
    const second = await chat(provider, '[say Served.]')
    expect(second).toMatchObject({ failure: undefined, accounts: ['aoa-well'] })
    expect(asked()).toBe(3)
  })

  test('a spent month ends with the month, and is asked about once', async () => {
    const provider = simulated.openBearers('aoa-spent')
    const { failure } = await chat(provider, 'Hello')
    expect(failure).toMatchObject({ code: 'insufficient_quota' })
    const now = new Date()
    const until = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
    expect(provider.accounts?.list()[0]?.state.until).toBeCloseTo(until, -3)
    expect((await chat(provider, 'Hello')).failure?.message).toContain('used up its quota for this month')
    expect(asked()).toBe(1)
  })

  test('that have an owner serve nobody else', async () => {
    const provider = simulated.open({
      accounts: [
        { name: 'ann', accessToken: 'aoa-ann', owner: 'ann' },
        { name: 'ben', accessToken: 'aoa-ben', owner: 'ben', shared: true },
      ],
    })
    expect((await chat(provider, 'Hello', {}, { caller: 'ann' })).accounts).toEqual(['ann'])
    expect((await chat(provider, 'Hello', {}, { caller: 'carl' })).accounts).toEqual(['ben'])
    const own = simulated.open({ accounts: [{ name: 'ann', accessToken: 'aoa-ann', owner: 'ann' }] })
    expect(await chat(own, 'Hello')).toMatchObject({ accounts: [], failure: { code: 'account_not_shared' } })
  })

  test('can be tried by hand', async () => {
    const provider = simulated.openBearers('aoa-a')
    simulated.simulator.control.suspend({ credential: 'aoa-a' })
    expect((await chat(provider, 'Hello')).failure).toMatchObject({ code: 'upstream_auth_failed' })
    simulated.simulator.control.restore({ credential: 'aoa-a' })
    expect(await provider.accounts?.probe('aoa-a', signal)).toBe(true)
    expect(provider.accounts?.list()[0]?.state.state).toBe('ok')
    expect(await provider.accounts?.probe('nobody', signal)).toBe(false)
  })
})

test('requests of AWS accounts are signed', async () => {
  const aws = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test-secret' }
  const provider = simulated.open({ accounts: [{ name: 'iam', aws }], flavour: 'rest' })
  expect(await chat(provider, '[say Signed.]')).toMatchObject({ text: 'Signed.', failure: undefined })
  expect(simulated.simulator.state.calls.map(({ operation }) => operation)).toEqual(['SignedSendMessage'])
  expect((await provider.models(signal)).map(({ id }) => id)).toContain('claude-sonnet-4')
})

describe('faults', () => {
  test.each([
    ['too-long', 'context_length_exceeded'],
    ['invalid-model', 'model_not_found'],
    ['improper', 'upstream_rejected'],
    ['tool-schema-invalid', 'upstream_rejected'],
    ['profile-required', 'upstream_rejected'],
    ['monthly-400', 'insufficient_quota'],
    ['overage', 'insufficient_quota'],
    ['feature-not-supported', 'upstream_auth_failed'],
    ['kms-disabled', 'upstream_rejected'],
  ])('%s is %s, asked once', async (error, code) => {
    const provider = simulated.openBearers('aoa-a')
    const { failure } = await chat(provider, `[simulate: error=${error}]`)
    expect(failure?.code).toBe(code)
    expect(asked()).toBe(1)
  })

  test.each([
    ['script=exception', 'upstream_error'],
    ['script=exception&error=throttled&as=name', 'rate_limit_exceeded'],
    ['script=exception&error=too-long', 'context_length_exceeded'],
    ['script=exception&error=monthly', 'insufficient_quota'],
    ['script=error-frame', 'upstream_error'],
    ['script=invalid-state', 'upstream_rejected'],
    ['script=broken-frame', 'upstream_malformed'],
    ['script=broken-frame&at=opened', 'upstream_malformed'],
    ['script=reset', 'upstream_truncated'],
    ['script=drop', 'upstream_truncated'],
    ['script=cut', 'upstream_truncated'],
    ['script=stall', 'idle_timeout'],
    ['script=silence', 'first_byte_timeout'],
    ['script=html', 'upstream_bad_response'],
    ['script=page', 'upstream_bad_response'],
    ['script=sse', 'upstream_malformed'],
    ['script=nothing', 'upstream_bad_response'],
  ])('%s is %s', async (wish, code) => {
    const provider = simulated.open({ accessToken: 'aoa-a' }, { firstByte: 300, idle: 300 })
    const { failure, finish, breaches } = await chat(provider, `[simulate: ${wish}]`)
    expect({ code: failure?.code, breaches }).toEqual({ code, breaches: [] })
    expect(finish).not.toBe('tool_calls')
  })

  test('schemas that are refused without anything in them to leave out are asked about once', async () => {
    const provider = simulated.openBearers('aoa-a', 'aoa-b')
    const { failure } = await chat(provider, '[simulate: error=tool-schema-invalid]', { tools })
    expect(failure?.code).toBe('upstream_rejected')
    expect(asked()).toBe(1)
    const parameters = { type: 'object', properties: { city: { type: 'string', format: 'city' } } }
    const rich = [{ type: 'function', function: { name: 'get_weather', parameters } }]
    const again = await chat(provider, '[simulate: error=tool-schema-invalid]', { tools: rich })
    expect(again.failure?.code).toBe('upstream_rejected')
    expect(asked()).toBe(3)
  })

  test('an answer that says nothing is asked for again', async () => {
    const provider = simulated.openBearers('aoa-a')
    expect(await chat(provider, 'Hello [simulate: script=empty&times=1]')).toMatchObject({
      failure: undefined,
      finish: 'stop',
    })
    expect((await chat(provider, '[simulate: script=empty&times=1]')).text).not.toBe('')
    expect(await chat(provider, '[simulate: script=empty]')).toMatchObject({ failure: undefined, text: '' })
  })
})
