import { UpstreamError, type ChatChunk, type Delta } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { readFrames } from './frames.ts'
import { expectContract } from './testing/contract.ts'
import {
  bytewise,
  data,
  event,
  gather,
  HEAD,
  HEAD_WITH_USAGE,
  hello,
  replyOf,
  said,
  sse,
  textOf,
  type Outcome,
} from './testing/replay.ts'
import { SERVERS } from './testing/servers.ts'

const read = (stream: string | Buffer): Promise<Outcome> => gather(readFrames(replyOf([stream]), HEAD))

describe('the streams of many servers become one', () => {
  test.each(SERVERS)('$name', async ({ stream, deltas, finish, usage }) => {
    const { chunks, code } = await gather(readFrames(replyOf([stream]), HEAD_WITH_USAGE))
    expect(code).toBeUndefined()
    expectContract(chunks, HEAD_WITH_USAGE, true)
    expect(said(chunks)).toEqual({ deltas, finish })
    const told = chunks.at(-1)?.usage
    expect(told && [told.prompt_tokens, told.completion_tokens, told.total_tokens]).toEqual(usage ?? null)
  })
})

describe('how a stream ends', () => {
  test.each([
    ['`[DONE]` missing, finish reason seen, clean end', data(hello) + data(event({}, 'length')), 'length'],
    ['`[DONE]` seen, no finish reason', data(hello) + data('[DONE]'), 'stop'],
    ['`[DONE]` seen, finish reason null', data(event({ content: 'x' })) + data(event({})) + data('[DONE]'), 'stop'],
    ['`[DONE]` seen, finish reason empty', data(event({ content: 'x' }, '')) + data('[DONE]'), 'stop'],
    ['`[DONE]` seen, finish reason "null"', data(event({ content: 'x' }, 'null')) + data('[DONE]'), 'stop'],
    ['`[DONE]` without a new line', `${data(hello)}data: [DONE]`, 'stop'],
    ['`[DONE]` without a space, with white space', `${data(hello)}data:[DONE] \n\n`, 'stop'],
    ['`[DONE]` twice', data(hello) + data('[DONE]') + data('[DONE]'), 'stop'],
    ['half an event behind `[DONE]`', `${data(event({ content: 'x' }))}${data('[DONE]')}data: {"half`, 'stop'],
    ['data behind `[DONE]`', data(hello) + data('[DONE]') + data(event({ content: ' no' })) + data('{'), 'stop'],
    ['`[DONE]` alone', data('[DONE]'), 'stop'],
    ['`[DONE]` inside content', data(event({ content: '[DONE]' })) + data(event({}, 'stop')), 'stop'],
    ['an event without its blank line', `${data(hello)}data: ${JSON.stringify(event({}, 'stop'))}`, 'stop'],
    ['two finish chunks', data(hello) + data(event({}, 'length')) + data(event({}, 'stop')) + data('[DONE]'), 'length'],
    ['content behind the finish', data(event({ content: 'x' }, 'stop')) + data(hello) + data('[DONE]'), 'stop'],
    ['a comment that is cut', `${data(event({ content: 'x' }, 'stop'))}: keep-al`, 'stop'],
  ])('good: %s', async (_, stream, finish) => {
    const { chunks, code } = await read(stream)
    expect(code).toBeUndefined()
    expectContract(chunks, HEAD, true)
    expect(said(chunks).finish).toBe(finish)
  })

  test.each([
    ['neither finish nor `[DONE]`', data(hello), 'upstream_truncated'],
    ['finish reason null', data(hello) + data(event({}, null)), 'upstream_truncated'],
    ['finish reason empty', data(hello) + data(event({}, '')), 'upstream_truncated'],
    ['half an event', `${data(hello)}data: {"choices":[{"delta":{"content":" wor`, 'upstream_truncated'],
    ['half an event behind the finish', `${data(event({ content: 'x' }, 'stop'))}data: [DO`, 'upstream_truncated'],
    ['half a field name behind the finish', `${data(event({ content: 'x' }, 'stop'))}da`, 'upstream_truncated'],
    [
      'one of two choices unfinished',
      data({
        choices: [
          { index: 0, delta: { content: 'a' }, finish_reason: 'stop' },
          { index: 1, delta: { content: 'b' } },
        ],
      }),
      'upstream_truncated',
    ],
    ['an event that is not JSON', data(hello) + data('{"choices":') + data(hello), 'upstream_malformed'],
    ['an event that is null', data('null') + data('[DONE]'), 'upstream_malformed'],
    ['an event that is a number', data('12') + data('[DONE]'), 'upstream_malformed'],
    ['an event that is a list', data('[{}]') + data('[DONE]'), 'upstream_malformed'],
    [
      'a choice index that is negative',
      data({ choices: [{ index: -1, delta: { content: 'x' } }] }),
      'upstream_malformed',
    ],
    ['a choice index that is too large', data({ choices: [{ index: 2 ** 53, delta: {} }] }), 'upstream_malformed'],
    ['a choice index that is a word', data({ choices: [{ index: '__proto__', delta: {} }] }), 'upstream_malformed'],
    [
      'a tool call that never gets a name',
      data(event({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{' } }] })) + data('[DONE]'),
      'upstream_malformed',
    ],
    ['nothing at all', '', 'upstream_bad_response'],
    ['comments only', ': one\n\n: two\n\n', 'upstream_bad_response'],
    ['JSON that is no chunk', data({ hello: 'world' }), 'upstream_bad_response'],
  ])('bad: %s', async (_, stream, code) => {
    const outcome = await read(stream)
    expect(outcome.code).toBe(code)
    expectContract(outcome.chunks, HEAD, false)
    expect(outcome.batches.every(batch => batch.length > 0)).toBe(true)
  })

  test('an event that carries `choices: null` is passed over', async () => {
    const { chunks, code } = await read(sse({ choices: null }, hello, event({}, 'stop')))
    expect(code).toBeUndefined()
    expect(textOf(chunks)).toBe('Hello')
  })

  test('the text of a read goes out although the read ends in a fault, and with the fault nothing else', async () => {
    const outcome = await read(data(hello) + data('{'))
    expect(outcome.batches).toHaveLength(1)
    expect(said(outcome.chunks)).toEqual({ deltas: [{ content: 'Hello' }], finish: null })
    const glued = await read(`data: ${JSON.stringify(hello)}\ndata: {"half`)
    expect(said(glued.chunks)).toEqual({ deltas: [{ content: 'Hello' }], finish: null })
    expect(glued.code).toBe('upstream_truncated')
  })

  test('a connection that breaks is told as it is, whatever came before', async () => {
    const fault = new UpstreamError('upstream_truncated', 'reset')
    const reply = replyOf([data(event({ content: 'x' }, 'stop'))], { fault })
    const outcome = await gather(readFrames(reply, HEAD))
    expect(outcome.error).toBe(fault)
    expectContract(outcome.chunks, HEAD, false)
  })
})

const logprobs = (token: string): object => ({ content: [{ token, logprob: -1, bytes: null, top_logprobs: [] }] })
const choice = (delta: object, more: object): object => ({ choices: [{ index: 0, delta, ...more }] })

describe('normalising (§6.3)', () => {
  test('an answer that says nothing still has a role and an end', async () => {
    const { chunks } = await read(sse(event({ role: 'assistant', content: '' }), event({}, 'stop')))
    expect(chunks.map(({ choices }) => choices)).toEqual([
      [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      [{ index: 0, delta: {}, finish_reason: 'stop' }],
    ])
  })

  test.each<[string, object, Delta[]]>([
    ['content null', { content: null }, []],
    ['content missing', {}, []],
    [
      'content as text parts',
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      [{ content: 'ab' }],
    ],
    ['content that is a number', { content: 5 }, []],
    ['reasoning_content', { reasoning_content: 'r' }, [{ reasoning_content: 'r' }]],
    ['reasoning', { reasoning: 'r' }, [{ reasoning_content: 'r' }]],
    ['thinking', { thinking: 'r' }, [{ reasoning_content: 'r' }]],
    ['both: the first wins', { reasoning: 'b', reasoning_content: 'a' }, [{ reasoning_content: 'a' }]],
    ['both, the first empty', { reasoning: 'b', reasoning_content: '' }, [{ reasoning_content: 'b' }]],
    ['thinking part as text', { content: [{ type: 'thinking', thinking: 'r' }] }, [{ reasoning_content: 'r' }]],
    ['reasoning and content', { content: 'c', reasoning: 'r' }, [{ reasoning_content: 'r' }, { content: 'c' }]],
    [
      'reasoning only in its details',
      { reasoning_details: [{ text: 'r' }] },
      [{ reasoning_content: 'r' }, { reasoning_details: [{ text: 'r' }] }],
    ],
    ['refusal', { refusal: 'no', content: null }, [{ refusal: 'no' }]],
    ['annotations', { annotations: [{ type: 'url_citation' }] }, [{ annotations: [{ type: 'url_citation' }] }]],
    ['empty lists', { annotations: [], tool_calls: [], reasoning_details: [] }, []],
    [
      'legacy function call',
      { function_call: { name: 'f', arguments: '{}' } },
      [
        { tool_calls: [{ index: 0, id: 'made-up-0', type: 'function', function: { name: 'f', arguments: '' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
      ],
    ],
  ])('%s', async (_, delta, expected) => {
    const { chunks, code } = await read(sse(event({ role: 'assistant' }), event(delta), event({}, 'stop')))
    expect(code).toBeUndefined()
    expect(said(chunks).deltas).toEqual(expected)
  })

  test('pieces of a legacy function call belong together', async () => {
    const { chunks } = await read(
      sse(
        event({ function_call: { name: 'f', arguments: '' } }),
        event({ function_call: { arguments: '{"a"' } }),
        event({ function_call: { arguments: ':1}' } }),
        event({}, 'function_call'),
      ),
    )
    expectContract(chunks, HEAD, true)
    const [opening, ...pieces] = said(chunks).deltas.map(({ tool_calls: [call] = [] }) => call?.function)
    expect(opening).toEqual({ name: 'f', arguments: '' })
    expect(pieces.map(piece => piece?.arguments).join('')).toBe('{"a":1}')
  })

  test('a missing index is 0; a role in every chunk goes out once; several choices mix', async () => {
    const { chunks, code } = await read(
      sse(
        {
          choices: [
            { delta: { role: 'assistant', content: 'a' } },
            { index: 2, delta: { role: 'assistant', content: 'x' } },
          ],
        },
        { choices: [{ index: 2, delta: { role: 'assistant', content: 'y' }, finish_reason: 'length' }] },
        { choices: [{ delta: { role: 'assistant', content: 'b' }, finish_reason: 'stop' }] },
      ),
    )
    expect(code).toBeUndefined()
    expectContract(chunks, HEAD, true)
    const of = (index: number): ChatChunk[] => chunks.filter(({ choices }) => choices[0]?.index === index)
    expect(textOf(of(0))).toBe('ab')
    expect(textOf(of(2))).toBe('xy')
    expect(of(2).at(-1)?.choices[0]?.finish_reason).toBe('length')
  })

  test('a message in place of deltas is the answer, and behind deltas says nothing new', async () => {
    const message = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] }
    expect(textOf((await read(sse(message))).chunks)).toBe('Hello')
    expect(textOf((await read(sse(event({ role: 'assistant', content: '' }), message))).chunks)).toBe('Hello')
    expect(textOf((await read(sse(hello, message))).chunks)).toBe('Hello')
    const halves = ['Hel', 'lo'].map(content => ({ choices: [{ message: { content } }] }))
    expect(textOf((await read(sse(...halves))).chunks)).toBe('Hello')
  })

  test('text in place of a delta is content', async () => {
    expect(textOf((await read(sse({ choices: [{ text: 'Hel' }] }, { choices: [{ text: 'lo' }] }))).chunks)).toBe(
      'Hello',
    )
  })

  test('probabilities go out beside the text they belong to, and without a text too', async () => {
    const { chunks } = await read(
      sse(
        choice({ content: 'a', reasoning: 'r' }, { logprobs: logprobs('a') }),
        choice({ content: 'b' }, { logprobs: logprobs('b') }),
        choice({}, { logprobs: logprobs('c') }),
        choice({}, { finish_reason: 'stop', logprobs: null }),
      ),
    )
    expectContract(chunks, HEAD, true)
    expect(chunks.map(({ choices: [only] }) => [only?.delta, only?.logprobs])).toEqual([
      [{ role: 'assistant', content: '' }, undefined],
      [{ reasoning_content: 'r' }, undefined],
      [{ content: 'a' }, logprobs('a')],
      [{ content: 'b' }, logprobs('b')],
      [{}, logprobs('c')],
      [{}, undefined],
    ])
  })

  test('what is known of the whole answer is handed on, the first word of each', async () => {
    const { chunks } = await read(
      sse(
        event({ content: 'a' }, null, { system_fingerprint: 'fp_1', obfuscation: 'xyz', service_tier: null }),
        event({ content: 'b' }, null, { system_fingerprint: 'fp_2', service_tier: 'default', citations: ['u'] }),
        event({}, 'stop'),
      ),
    )
    expect(chunks[1]).toMatchObject({ system_fingerprint: 'fp_1' })
    expect(chunks.at(-1)).toMatchObject({ system_fingerprint: 'fp_1', service_tier: 'default', citations: ['u'] })
    expect(JSON.stringify(chunks)).not.toContain('xyz')
  })

  test.each<[string, string]>([
    ['CR', sse(hello, event({}, 'stop')).replaceAll('\n', '\r')],
    ['CRLF', sse(hello, event({}, 'stop')).replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${sse(hello, event({}, 'stop'))}`],
    [
      'comments and pings',
      `: one\n\nevent: ping\ndata: {"type":"ping"}\n\n${data({ type: 'ping' })}data:\n\n${sse(hello, event({}, 'stop'))}`,
    ],
    ['ids, types, retries', `id: 1\nevent: message\nretry: 3\n${sse(hello, event({}, 'stop'))}`],
    ['no space', sse(hello, event({}, 'stop')).replaceAll('data: ', 'data:')],
    [
      'one event over several data lines',
      `data: {"choices":\ndata: [{"delta":{"content":"Hello"},\ndata: "finish_reason":"stop"}]}\n\n`,
    ],
    ['no blank lines', sse(hello, event({}, 'stop')).replaceAll('\n\n', '\n')],
    ['lines of JSON', sse(hello, event({}, 'stop')).replaceAll('data: ', '').replace('[DONE]\n\n', '')],
    [
      'lines of JSON behind white space',
      sse(hello, event({}, 'stop')).replaceAll('data: ', '').replace('[DONE]', ' ').replace('{', ' \t{'),
    ],
    [
      'lines of JSON behind a data line',
      `data: ${JSON.stringify(event({ content: 'Hel' }))}\n\n${JSON.stringify(event({ content: 'lo' }, 'stop'))}\n`,
    ],
  ])('framing: %s', async (_, stream) => {
    for (const reads of [[stream], bytewise(Buffer.from(stream))]) {
      const { chunks, code } = await gather(readFrames(replyOf(reads), HEAD))
      expect(code).toBeUndefined()
      expect(textOf(chunks)).toBe('Hello')
    }
  })

  test('lines of JSON stream when they say that they are lines', async () => {
    const lines = [event({ content: 'a' }), event({ content: 'b' }, 'stop')].map(value => `${JSON.stringify(value)}\n`)
    const reply = replyOf(lines, { headers: { 'content-type': 'application/x-ndjson' } })
    const { batches, code } = await gather(readFrames(reply, HEAD))
    expect(code).toBeUndefined()
    expect(batches).toHaveLength(3)
  })

  test('one read gives one batch, and the end travels with `[DONE]`', async () => {
    const reads = [
      data(event({ content: 'a' })) + data(event({ content: 'b' })),
      ': nothing\n\n',
      sse(event({ content: 'c' }, 'stop')),
    ]
    const { batches } = await gather(readFrames(replyOf(reads), HEAD))
    expect(batches.map(batch => batch.length)).toEqual([3, 2])
  })

  test('invalid UTF-8 becomes U+FFFD', async () => {
    const bytes = Buffer.from(sse(event({ content: 'a!b' }, 'stop')))
    bytes[bytes.indexOf('!')] = 0xff
    expect(textOf((await read(bytes)).chunks)).toBe('a\uFFFDb')
  })

  test('an event over the limit is a failure', async () => {
    const reads = [data(hello), data(event({ content: 'x'.repeat(2000) }))]
    const outcome = await gather(readFrames(replyOf(reads), HEAD, { maxEventBytes: 1000 }))
    expect(outcome.code).toBe('upstream_malformed')
    expect(textOf(outcome.chunks)).toBe('Hello')
  })
})

describe('failures inside an answer of status 200', () => {
  const rows: readonly (readonly [string, string, string, string | RegExp])[] = [
    ['an error object', data({ error: { message: 'Over.', type: 'server_error' } }), 'upstream_error', 'Over.'],
    ['an error text', data({ error: 'Over.' }), 'upstream_error', 'Over.'],
    ['with a numeric code', data({ error: { code: 429, message: 'Slow down.' } }), 'rate_limit_exceeded', 'Slow down.'],
    ['event: error', `event: error\n${data({ message: 'Over.' })}`, 'upstream_error', 'Over.'],
    ['event: error with words', 'event: error\ndata: Over.\n\n', 'upstream_error', 'Over.'],
    ['event: error without words', 'event: error\ndata:\n\n', 'upstream_error', /no reason given/],
    [
      'a bare error field',
      `error: ${JSON.stringify({ message: 'Over.', code: 503 })}\n\n`,
      'upstream_overloaded',
      'Over.',
    ],
    ['object: error', data({ object: 'error', message: 'Over.' }), 'upstream_error', 'Over.'],
    [
      'type: error',
      data({ type: 'error', error: { type: 'overloaded_error', message: 'Over.' } }),
      'upstream_overloaded',
      'Over.',
    ],
    ['code and message', data({ code: 'InternalError', message: 'Over.', request_id: 'r' }), 'upstream_error', 'Over.'],
    ['detail', data({ detail: 'Over.' }), 'upstream_error', 'Over.'],
    ['fault', data({ fault: { faultstring: 'Over.', detail: { errorcode: 'x' } } }), 'upstream_error', 'Over.'],
    [
      'a list',
      data([{ error: { code: 400, message: 'Over.', status: 'INVALID_ARGUMENT' } }]),
      'upstream_rejected',
      'Over.',
    ],
    [
      'an error beside choices',
      data({ error: { code: 502, message: 'Over.' }, choices: [{ delta: { content: '' }, finish_reason: 'error' }] }),
      'upstream_error',
      'Over.',
    ],
    [
      'DashScope',
      'id:3\nevent:error\n:HTTP_STATUS/429\ndata:{"code":"Throttling.AllocationQuota","message":"Allocated quota exceeded."}\n\n',
      'rate_limit_exceeded',
      'Allocated quota exceeded.',
    ],
    ['a status in a comment', ':HTTP_STATUS/500\ndata:{"message":"Over."}\n\n', 'upstream_error', 'Over.'],
    [
      'content inspection',
      data({ error: { code: 'data_inspection_failed', message: 'Output data.' } }),
      'content_filter',
      'Output data.',
    ],
    [
      'context length',
      data({ error: { code: 'context_length_exceeded', message: 'Too long.' } }),
      'context_length_exceeded',
      /maximum context length.*Too long/,
    ],
    ['a line of JSON without data', `${JSON.stringify({ error: { message: 'Over.' } })}\n`, 'upstream_error', 'Over.'],
  ]

  test.each(rows)('%s', async (_, failure, code, message) => {
    for (const stream of [failure, data(hello) + failure + data('[DONE]')]) {
      const outcome = await read(stream)
      expect(outcome.code).toBe(code)
      expect((outcome.error as Error).message).toMatch(message)
      expectContract(outcome.chunks, HEAD, false)
      expect(textOf(outcome.chunks)).toBe(stream === failure ? '' : 'Hello')
    }
  })

  test('`error: null` is no failure', async () => {
    expect((await read(sse({ ...hello, error: null }, event({}, 'stop')))).code).toBeUndefined()
  })
})
