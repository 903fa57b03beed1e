import { GatewayError, type UpstreamError } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { createScriptedUpstream, inTurn, type Answer } from './testing/scripted-upstream.ts'
import { chat, GOOD, KEYS, keyOf, openTeam, refusal, STREAM, TIMEOUTS } from './testing/team.ts'

const media = (url: string): object => ({
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
})

describe('a request', () => {
  test('goes to the place of the plan and region, with what Qwen wants to know', async () => {
    const upstream = inTurn(GOOD)
    await chat(
      openTeam(upstream, {
        apiKey: 'sk-sp-1',
        region: 'beijing',
        workspace: 'ws',
        headers: { 'User-Agent': 'Own/1', 'x-team': 'blue' },
      }),
      {},
      { stream: false },
    )
    const [asked] = upstream.asked
    expect(asked?.url.href).toBe('https://coding.dashscope.aliyuncs.com/v1/chat/completions')
    expect(asked?.headers).toEqual({
      'user-agent': 'Own/1',
      'x-dashscope-useragent': expect.stringMatching(/^Millrace\//),
      'x-dashscope-cachecontrol': 'enable',
      'x-dashscope-authtype': 'openai',
      'x-dashscope-workspace': 'ws',
      'x-team': 'blue',
      authorization: 'Bearer sk-sp-1',
      accept: 'text/event-stream',
      'content-type': 'application/json',
    })
    expect(asked?.timeouts).toEqual(TIMEOUTS)
    expect(JSON.parse(asked!.body!.toString())).toMatchObject({ model: 'qwen3-max', stream: true })
  })

  test('says when media are in the storage of the service', async () => {
    const upstream = inTurn(GOOD)
    const provider = openTeam(upstream, { apiKey: 'sk-1' })
    await chat(provider, media('oss://bucket/a.png'))
    await chat(provider, media('https://example.com/oss://a.png'))
    expect(upstream.asked.map(({ headers }) => headers['x-dashscope-ossresourceresolve'])).toEqual([
      'enable',
      undefined,
    ])
  })

  test.for<[name: string, members: object, message: string, expected: object]>([
    ['a limit', { max_tokens: 90_000 }, 'Range of max_tokens should be [1, 32768]', { max_tokens: 32_768 }],
    ['a newer limit', { max_completion_tokens: 9 }, 'Range of max_tokens should be [1, 8]', { max_tokens: 8 }],
    ['a budget', { thinking_budget: 9 }, '<400> X: Range of thinking_budget should be [1, 5]', { thinking_budget: 5 }],
  ])('with %s out of range is repeated within it', async ([, members, message, expected]) => {
    const upstream = inTurn(refusal(400, 'invalid_parameter_error', message), GOOD)
    expect(await chat(openTeam(upstream, { apiKey: 'sk-1' }), members, { model: 'm' })).toMatchObject({ text: 'Hi' })
    expect(upstream.asked.map(({ body }) => JSON.parse(body!.toString()) as unknown)).toMatchObject([{}, expected])
  })

  test('is repeated once, and not for a limit of nobody', async () => {
    const answer = refusal(400, 'invalid_parameter_error', 'Range of max_tokens should be [1, 8]')
    const [given, left] = [inTurn(answer), inTurn(answer)]
    const failed = await chat(openTeam(given, { apiKey: 'sk-1' }), { max_tokens: 9 })
    expect(failed).toMatchObject({ failure: { code: 'upstream_rejected' }, accounts: ['default'] })
    await chat(openTeam(left, { apiKey: 'sk-1' }))
    expect([given.asked.length, left.asked.length]).toEqual([2, 1])
  })

  test('that Qwen cannot honour uses no account', async () => {
    const upstream = inTurn(GOOD)
    const provider = openTeam(upstream, KEYS)
    const { failure, accounts } = await chat(provider, { n: 9 })
    expect(failure).toMatchObject({ code: 'unsupported_parameter', param: 'n' })
    expect([accounts, upstream.asked, provider.accounts?.list().map(({ requestsToday }) => requestsToday)]).toEqual([
      [],
      [],
      [0, 0, 0],
    ])
  })
})

test('settings that do not go together are refused', () => {
  expect(() => openTeam(inTurn(GOOD), { apiKey: 'sk-1', plan: 'coding', region: 'us' })).toThrow(
    'region must be `singapore` or `beijing`',
  )
})

describe('several accounts', () => {
  test('take turns', async () => {
    const upstream = inTurn(GOOD)
    const provider = openTeam(upstream, KEYS)
    for (let request = 0; request < 6; request++) expect(await chat(provider)).toMatchObject({ text: 'Hi' })
    expect(upstream.asked.map(keyOf)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'].map(name => `key-of-${name}`))
  })

  test.for<[name: string, members: object, session?: string]>([
    ['a user', { user: 'u1' }],
    ['a key of the prompt cache', { prompt_cache_key: 'k1' }],
    ["the official client's conversation", { metadata: { sessionId: 's1' } }],
    ['a session', { user: 'not me' }, 'session'],
  ])('stay with %s', async ([, members, session]) => {
    const upstream = inTurn(GOOD)
    const provider = openTeam(upstream, KEYS)
    for (let request = 0; request < 3; request++)
      await chat(provider, members, session === undefined ? {} : { session })
    expect(new Set(upstream.asked.map(keyOf)).size).toBe(1)
  })

  test.for<[name: string, answer: Answer, state: string]>([
    ['throttled', refusal(429, 'limit_requests'), 'rate-limited'],
    ['spent', refusal(429, 'insufficient_quota', 'Free allocated quota exceeded.'), 'quota-exhausted'],
    ['refused', refusal(401, 'invalid_api_key'), 'auth-expired'],
    ['unpaid', refusal(400, 'Arrearage'), 'suspended'],
    [
      'in front of a firewall',
      { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>captcha</html>' },
      'rate-limited',
    ],
    [
      'throttled in so many words',
      {
        headers: { 'content-type': 'application/json' },
        body: { message: 'Allocated quota exceeded.', success: false },
      },
      'rate-limited',
    ],
    [
      'throttled within a stream',
      { headers: STREAM, body: 'id:1\nevent:error\n:HTTP_STATUS/429\ndata:{"code":"Throttling","message":"No."}\n\n' },
      'rate-limited',
    ],
    [
      'throttled as a reason to end',
      {
        headers: STREAM,
        body: 'data: {"choices":[{"index":0,"delta":{"content":"Throttling: TPM(1/1)"},"finish_reason":"error_finish"}]}\n\n',
      },
      'rate-limited',
    ],
  ])('make up for one that is %s', async ([, answer, state]) => {
    const upstream = createScriptedUpstream(request => (keyOf(request) === 'key-of-a' ? answer : GOOD))
    const provider = openTeam(upstream, KEYS)
    expect(await chat(provider)).toEqual({ text: 'Hi', failure: undefined, accounts: ['a', 'b'] })
    expect(provider.accounts?.list().map(account => account.state.state)).toEqual([state, 'ok', 'ok'])
    expect((await chat(provider)).accounts).toEqual(['c'])
  })

  test('do not make up for one that has begun', async () => {
    const begun = GOOD.body as string
    const cut = {
      headers: STREAM,
      body: `${begun.slice(0, begun.indexOf('"finish'))}"finish_reason":null}]}\n\ndata: {"error":{"code":"limit_requests","message":"No."}}\n\n`,
    }
    const upstream = createScriptedUpstream(request => (keyOf(request) === 'key-of-a' ? cut : GOOD))
    const provider = openTeam(upstream, KEYS)
    expect(await chat(provider)).toMatchObject({
      text: 'Hi',
      failure: { code: 'rate_limit_exceeded' },
      accounts: ['a'],
    })
    expect(provider.accounts?.list()[0]?.state.state).toBe('rate-limited')
  })

  test.for<[name: string, answer: Answer, code: string]>([
    ['a request that Qwen refuses', refusal(400, 'invalid_parameter_error'), 'upstream_rejected'],
    ['a model that is not there', refusal(404, 'model_not_found'), 'model_not_found'],
    ['an overloaded service', refusal(503, 'ModelServingError'), 'upstream_overloaded'],
  ])('are all well after %s', async ([, answer, code]) => {
    const provider = openTeam(inTurn(answer), KEYS)
    expect(await chat(provider)).toMatchObject({ failure: { code }, accounts: ['a'] })
    expect(provider.accounts?.list().every(account => account.state.state === 'ok')).toBe(true)
  })
})

describe('a single key', () => {
  test('that is in the wrong place is explained', async () => {
    const { failure } = await chat(
      openTeam(inTurn(refusal(401, 'invalid_api_key', 'Incorrect API key.')), { apiKey: 'sk-sp-1', plan: 'payg' }),
    )
    expect((failure as Error).message).toContain('Incorrect API key')
    expect((failure as Error).message).toContain('set `plan: coding` or `plan: token`')
  })

  test('at an address of its own is not', async () => {
    const provider = openTeam(inTurn(refusal(401, 'invalid_api_key', 'Incorrect API key.')), {
      apiKey: 'sk-1',
      baseUrl: 'http://localhost:1/v1',
    })
    expect(((await chat(provider)).failure as Error).message).not.toContain('region')
  })

  test('tells how long to wait', async () => {
    const provider = openTeam(inTurn(refusal(429, 'limit_requests', 'Slowly.', { 'retry-after': '7' })), {
      apiKey: 'sk-1',
    })
    expect(await chat(provider)).toMatchObject({ failure: { code: 'rate_limit_exceeded', retryAfterMs: 7000 } })
    const { failure } = await chat(provider)
    expect((failure as UpstreamError).retryAfterMs).toBeLessThanOrEqual(7000)
    expect((failure as UpstreamError).message).toContain('team')
  })
})

test('no failure holds a key', async () => {
  const words = 'made-up-by-nobody is not right'
  for (const status of [200, 400, 401, 403, 429, 500]) {
    const provider = openTeam(inTurn(refusal(status, '', words)), { apiKey: 'made-up-by-nobody' })
    const listed = await provider.models(new AbortController().signal).catch((error: unknown) => error)
    for (const failure of [(await chat(provider)).failure, listed]) {
      expect(failure).toBeInstanceOf(GatewayError)
      expect((failure as Error).message).not.toContain('nobody')
    }
  }
})
