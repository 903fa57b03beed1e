import { answerText } from '@millrace/simulator'
import { describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { gatewayWithAmazonQ } from './gateway-with-amazon-q.ts'

const world = gatewayWithAmazonQ(service => ({
  'amazon-q': { ...service, accessToken: 'aoa-canary' },
  rest: { ...service, accessToken: 'aoa-canary', flavour: 'rest' },
}))

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { type: 'string' } },
      required: ['city', 'unit'],
    },
  },
}
const tools = [WEATHER]
const BERLIN = { city: 'Berlin', unit: 'simulated' }

describe.for([true, false])('with stream: %s', stream => {
  test.for([
    'tools',
    'tools-mixed',
    'tools-whole',
    'tools-started',
    'tools-object',
    'tools-null',
    'tools-stopped-twice',
    'tools-repeated',
    'tools-unstopped',
    'tools-no-id',
    'tools-late-name',
  ])('parallel calls come out whole, however they are written: %s', async script => {
    const { calls, finish, failure } = await ask(world.client(), `[simulate: script=${script}]`, { stream, tools })
    expect({ failure, finish }).toEqual({ failure: undefined, finish: 'tool_calls' })
    expect(calls.map(({ name, arguments: json }) => [name, JSON.parse(json)])).toEqual([
      ['get_weather', BERLIN],
      ['get_weather', BERLIN],
    ])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
    expect(calls.every(({ id }) => id !== '')).toBe(true)
  })

  test.for(['tools-empty', 'tools-blank'])('calls without arguments get an empty object: %s', async script => {
    const { calls, finish } = await ask(world.client(), `[simulate: script=${script}]`, { stream, tools })
    expect([finish, ...calls.map(call => call.arguments)]).toEqual(['tool_calls', '{}', '{}'])
  })

  test.for([
    ['tools-behind-text', 'tool_calls', 1, answerText(20)],
    ['tools-before-text', 'tool_calls', 1, answerText(20)],
    ['tools-ended', 'tool_calls', 1, ''],
    ['tools-missing', 'stop', 0, answerText(20)],
  ] as const)('calls and text: %s', async ([script, finish, count, text]) => {
    const seen = await ask(world.client(), `[simulate: script=${script}]`, { stream, tools })
    expect(seen).toMatchObject({ finish, text, failure: undefined })
    expect(seen.calls).toHaveLength(count)
  })

  test('a call that is written out as text stays text', async () => {
    const { text, calls } = await ask(world.client(), '[simulate: script=tools-as-text]', { stream, tools })
    expect(calls).toEqual([])
    expect(text).toMatch(/^\[Called get_weather with args \{/)
  })

  test('a call that was said to be over in its middle ends with `length`, one that breaks off is an error', async () => {
    const half = await ask(world.client(), '[simulate: script=tools-half]', { stream, tools })
    expect(half).toMatchObject({ finish: 'length', failure: undefined })
    const cut = await ask(world.client(), '[simulate: script=tools-cut]', { stream, tools })
    expect(cut).toMatchObject({ finish: null, failure: { code: 'upstream_truncated' } })
  })

  test('names from `__proto__` are names as any other', async () => {
    const { calls, finish } = await ask(world.client(), '[simulate: script=tools-hostile]', { stream, tools })
    expect([finish, calls.map(({ id }) => id)]).toEqual(['tool_calls', ['__proto__']])
    expect(calls[0]!.arguments).toBe('{"__proto__":{"polluted":true},"constructor":1}')
  })

  test('tools whose names the service does not take come back under their own', async () => {
    const name = `${'mcp__files.read/'.repeat(5)}all`
    const odd = [{ type: 'function' as const, function: { name, parameters: { type: 'object', properties: {} } } }]
    const { calls } = await ask(world.client(), 'Read [simulate: script=tool]', { stream, tools: odd })
    expect(calls.map(call => call.name)).toEqual([name])
  })

  test.for([
    ['', 'stop'],
    ['&stop=END_TURN', 'stop'],
    ['&stop=MAX_TOKENS', 'length'],
    ['&stop=MODEL_CONTEXT_WINDOW_EXCEEDED', 'length'],
    ['&percentage=100', 'length'],
    ['&stop=CONTENT_FILTERED', 'content_filter'],
    ['&stop=GUARDRAIL_INTERVENED', 'content_filter'],
  ])('the end of an answer (%s) is `%s`', async ([wish, finish]) => {
    const seen = await ask(world.client(), `[simulate: script=text${wish}]`, { stream })
    expect(seen).toMatchObject({ finish, text: answerText(20), failure: undefined })
  })

  test.for(['MALFORMED_TOOL_USE', 'MALFORMED_MODEL_OUTPUT'])('an answer that ends with %s has failed', async stop => {
    const seen = await ask(world.client(), `[simulate: script=text&stop=${stop}]`, { stream })
    expect(seen).toMatchObject({ finish: null, failure: { code: 'upstream_error' } })
  })

  test('an exact count of tokens is passed on', async () => {
    const wish = '[simulate: script=text&usage=tokens&prompt=1434&cached=1024&output=23]'
    const { usage, requestId } = await ask(world.client(), wish, { stream })
    expect(usage).toEqual({
      prompt_tokens: 1434,
      completion_tokens: 23,
      total_tokens: 1457,
      prompt_tokens_details: { cached_tokens: 1024 },
    })
    const line = await world.gateway.access(requestId)
    expect(line).toMatchObject({ promptTokens: 1434, completionTokens: 23 })
    expect(line).not.toHaveProperty('estimated')
  })

  test('the share of the window makes an estimate', async () => {
    const { usage, requestId, text } = await ask(world.client(), '[simulate: script=text&percentage=2.5]', { stream })
    const completion_tokens = Math.ceil(text.length / 4)
    expect(usage).toEqual({ prompt_tokens: 5000 - completion_tokens, completion_tokens, total_tokens: 5000 })
    expect(await world.gateway.access(requestId)).toMatchObject({ estimated: true })
  })

  test('without either the text is counted', async () => {
    const { usage, requestId } = await ask(world.client(), 'Count [simulate: script=text&usage=none]', { stream })
    // The words, each of which is one token, and what stands around messages.
    expect(usage!.completion_tokens).toBe(20)
    expect(usage!.prompt_tokens).toBeGreaterThan(5)
    expect(usage!.prompt_tokens).toBeLessThan(40)
    expect(await world.gateway.access(requestId)).toMatchObject({ estimated: true, completionTokens: 20 })
  })

  test.for(['context', 'tokens', 'both', 'none', 'negative', 'huge', 'twice', 'each', 'before'])(
    'usage is told once and is sane, and the log has the same: %s',
    async usage => {
      const seen = await ask(world.client(), `[simulate: script=text&usage=${usage}]`, { stream })
      expect(seen).toMatchObject({ text: answerText(20), finish: 'stop' })
      const { prompt_tokens, completion_tokens, total_tokens } = seen.usage!
      for (const count of [prompt_tokens, completion_tokens, total_tokens]) {
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
      }
      // Whoever counts below nothing is believed that there was nothing.
      expect(prompt_tokens > 0).toBe(usage !== 'negative')
      const line = await world.gateway.access(seen.requestId)
      expect([line['promptTokens'], line['completionTokens']]).toEqual([prompt_tokens, completion_tokens])
    },
  )

  test.for(['reasoning', 'thinking-tags', 'split-tags'])('thoughts are kept apart from words: %s', async script => {
    const members = { stream, reasoning_effort: 'high' as const }
    const { thoughts, text, finish } = await ask(world.client(), `Why? [simulate: script=${script}]`, members)
    expect([text, finish]).toEqual([answerText(20), 'stop'])
    expect(thoughts.trim().split(' ')).toHaveLength(5)
  })

  test('tags of which the words only speak stay where they are', async () => {
    const { text } = await ask(world.client(), '[simulate: script=quoted-tags]', { stream, reasoning_effort: 'low' })
    expect(text).toBe('The tag is written `<thinking>` and closed `</thinking>`.')
  })

  test.for([
    ['one two STOP three', 'one two '],
    ['STOP at once', ''],
    ['nothing but ST', 'nothing but ST'],
    ['STO STOPPED', 'STO '],
  ])('a stop sequence never leaks: "%s"', async ([said, text]) => {
    const seen = await ask(world.client(), `[say ${said}] [simulate: size=1]`, { stream, stop: ['STOP', 'never'] })
    expect(seen).toMatchObject({ text, finish: 'stop', failure: undefined })
  })

  test.for(['odd-content', 'all-events', 'repeats', 'code', 'multi-byte'])('events of every kind: %s', async script => {
    const seen = await ask(world.client(), `[simulate: script=${script}]`, { stream })
    expect(seen).toMatchObject({ finish: 'stop', failure: undefined })
    expect(seen.text).toBe(TEXTS[script as keyof typeof TEXTS])
  })

  test('an answer that says nothing is asked for once more', async () => {
    const again = await ask(world.client(), 'Hello [simulate: script=empty&times=1]', { stream })
    expect(again).toMatchObject({ text: answerText(20), finish: 'stop' })
    expect((await world.amazonQ.state()).stats.chats).toBe(2)
    const silent = await ask(world.client(), '[simulate: script=empty]', { stream })
    expect(silent).toMatchObject({ text: '', finish: 'stop', failure: undefined })
    expect((await world.amazonQ.state()).stats.chats).toBe(4)
  })
})

const TEXTS = {
  'odd-content': answerText(20),
  'all-events': answerText(20),
  repeats: '- one\n- - two\n',
  code: 'As code: mill()',
  'multi-byte': 'Grüße, 世界 🏭 — done',
}

test.for(['amazon-q', 'rest'])('%s: every way of cutting the bytes gives the same answer', async model => {
  const first = await ask(world.client(), 'Go [simulate: script=tools-behind-text]', { model, tools })
  for (const cut of ['split=1', 'split=3', 'split=7', 'batch=5', 'size=1']) {
    const seen = await ask(world.client(), `Go [simulate: script=tools-behind-text&${cut}]`, { model, tools })
    expect([seen.text, seen.finish, seen.calls.map(call => call.arguments)]).toEqual([
      first.text,
      'tool_calls',
      first.calls.map(call => call.arguments),
    ])
  }
})
