import { GatewayError, UpstreamError, type ChunkHead, type Delta, type FinishReason, type Frame } from '@millrace/core'
import { TextFrame, toChunk, toUsageChunk } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { messages } from './index.ts'

const HEAD: ChunkHead = { id: 'msg_test', created: 1_780_000_000, model: 'sim/mühle', includeUsage: true }
const USAGE = {
  prompt_tokens: 30,
  completion_tokens: 2,
  total_tokens: 32,
  prompt_tokens_details: { cached_tokens: 10 },
}
const ASKED = { model: HEAD.model, max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] }

const frame = (delta: Delta, finish_reason: FinishReason | null = null, index = 0): Frame => ({
  chunk: toChunk(HEAD, { index, delta, finish_reason }),
})
const ROLE = frame({ role: 'assistant', content: '' })
const say = (content: string): Frame => frame({ content })
const think = (reasoning_content: string): Frame => frame({ reasoning_content })
const call = (index: number, id: string, piece = ''): Frame =>
  frame({ tool_calls: [{ index, id, type: 'function', function: { name: 'turn', arguments: piece } }] })
const more = (index: number, piece: string): Frame => frame({ tool_calls: [{ index, function: { arguments: piece } }] })
const finish = (reason: FinishReason): Frame => frame({}, reason)
const TOLD: Frame = { chunk: toUsageChunk(HEAD, USAGE) }

/** Text that is ready, of which nothing has to be parsed. */
function ready(text: string, channel: 'content' | 'reasoning_content'): TextFrame {
  const bytes = Buffer.from(JSON.stringify(text).slice(1, -1))
  return new TextFrame(bytes, 0, bytes.length, channel, say('').chunk)
}

interface Seen {
  readonly type: string
  readonly [member: string]: unknown
}

function eventsOf(bytes: Buffer): Seen[] {
  const blocks = bytes.toString().split('\n\n').filter(Boolean)
  return blocks.map(block => {
    const [name, data] = block.split('\n') as [string, string]
    const event = JSON.parse(data.slice('data: '.length)) as Seen
    expect(name).toBe(`event: ${event.type}`)
    return event
  })
}

/** The events of a good stream, the first and the last two left out, as short as can be. */
function blocksOf(frames: readonly Frame[], body: object = {}): string[] {
  const encoder = messages.read({ ...ASKED, ...body }).createEncoder(HEAD, 100)
  const events = [...frames.flatMap(one => eventsOf(encoder.encode([one]))), ...eventsOf(encoder.end())]
  expect(events.map(({ type }) => type)).toEqual([
    'message_start',
    ...events.slice(1, -2).map(({ type }) => type),
    'message_delta',
    'message_stop',
  ])
  return events.slice(1, -2).map(event => {
    const {
      index,
      content_block: block,
      delta,
    } = event as unknown as { index: number; content_block?: object; delta?: object }
    if (block !== undefined) return `${index} ${Object.values(block)[0] as string}`
    return delta === undefined ? `${index} end` : `${index} ${Object.values(delta)[1] as string}`
  })
}

async function* batched(frames: readonly Frame[]): AsyncGenerator<readonly Frame[]> {
  for (const one of frames) yield [one]
}

const collect = (frames: readonly Frame[], body: object = {}) =>
  messages.read({ ...ASKED, ...body }).collect(batched(frames), HEAD)

describe('a stream', () => {
  test('begins with the message and an estimate, and ends with the reason and the usage', () => {
    const encoder = messages.read(ASKED).createEncoder(HEAD, 100)
    const [start] = eventsOf(encoder.encode([ROLE]))
    expect(start).toEqual({
      type: 'message_start',
      message: {
        id: 'msg_test',
        type: 'message',
        role: 'assistant',
        model: 'sim/mühle',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 25, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
      },
    })
    encoder.encode([say('Yes.'), finish('stop'), TOLD])
    expect(eventsOf(encoder.end())).toEqual([
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { input_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 10, output_tokens: 2 },
      },
      { type: 'message_stop' },
    ])
  })

  test.each<[string, readonly Frame[], string[]]>([
    ['nothing', [ROLE, finish('stop')], []],
    ['text', [ROLE, say('a'), say('b'), finish('stop')], ['0 text', '0 a', '0 b', '0 end']],
    ['text that is ready', [ROLE, ready('é"\n', 'content'), finish('stop')], ['0 text', '0 é"\n', '0 end']],
    [
      'thoughts, then text',
      [ROLE, think('a'), ready('b', 'reasoning_content'), say('c'), finish('stop')],
      ['0 thinking', '0 a', '0 b', '0 end', '1 text', '1 c', '1 end'],
    ],
    ['a refusal is text', [ROLE, frame({ refusal: 'No.' }), finish('stop')], ['0 text', '0 No.', '0 end']],
    [
      'calls one after another',
      [ROLE, say('a'), call(0, 'x'), more(0, '{"b":'), more(0, '1}'), call(1, 'y', '{}'), finish('tool_calls')],
      ['0 text', '0 a', '0 end', '1 tool_use', '1 {"b":', '1 1}', '1 end', '2 tool_use', '2 {}', '2 end'],
    ],
    [
      'calls side by side come one after another, each as soon as it can',
      [ROLE, call(0, 'x'), call(1, 'y'), more(1, '{"c":2}'), more(0, '{"b":1}'), finish('tool_calls')],
      ['0 tool_use', '0 {"b":1}', '0 end', '1 tool_use', '1 {"c":2}', '1 end'],
    ],
    [
      'text in the middle of a call comes after it',
      [ROLE, call(0, 'x', '{"b":'), say('a'), more(0, '1}'), say('c'), finish('tool_calls')],
      ['0 tool_use', '0 {"b":', '0 1}', '0 end', '1 text', '1 a', '1 c', '1 end'],
    ],
    [
      'calls without input',
      [ROLE, call(0, 'x'), call(1, 'y'), finish('tool_calls')],
      ['0 tool_use', '0 end', '1 tool_use', '1 end'],
    ],
    [
      'a call that the limit cut off',
      [ROLE, call(0, 'x', '{"b":'), finish('length')],
      ['0 tool_use', '0 {"b":', '0 end'],
    ],
    [
      'white space behind a call',
      [ROLE, call(0, 'x', '{}'), say('a'), more(0, ' \n'), finish('tool_calls')],
      ['0 tool_use', '0 {}', '0 end', '1 text', '1 a', '1 end'],
    ],
    [
      'the first choice only',
      [ROLE, say('a'), frame({ content: 'b' }, null, 1), finish('stop')],
      ['0 text', '0 a', '0 end'],
    ],
  ])('%s', (_, frames, expected) => {
    expect(blocksOf(frames)).toEqual(expected)
  })

  test('a call goes on to its client before the next has begun', () => {
    const encoder = messages.read(ASKED).createEncoder(HEAD, 100)
    encoder.encode([ROLE, call(0, 'x', '{"b":')])
    encoder.encode([call(1, 'y', '{"c":2}')])
    const events = eventsOf(encoder.encode([more(0, '1}')]))
    expect(events.map(({ type, index }) => `${type} ${String(index)}`)).toEqual([
      'content_block_delta 0',
      'content_block_stop 0',
      'content_block_start 1',
      'content_block_delta 1',
    ])
  })

  test.each(['omitted', 'summarized'])('thoughts where the client wants them %s', display => {
    const frames = [ROLE, think('a'), ready('b', 'reasoning_content'), say('c'), finish('stop')]
    const shown = blocksOf(frames, { thinking: { type: 'adaptive', display } })
    expect(shown.includes('0 thinking')).toBe(display === 'summarized')
    expect(shown.at(-2)).toMatch(/ c$/)
  })

  test('pings keep it alive, even before there is anything', () => {
    const encoder = messages.read(ASKED).createEncoder(HEAD, 100)
    expect(eventsOf(encoder.heartbeat()).map(({ type }) => type)).toEqual(['message_start', 'ping'])
    expect(eventsOf(encoder.encode([ROLE]))).toEqual([])
    expect(eventsOf(encoder.heartbeat())).toEqual([{ type: 'ping' }])
  })

  test('fails with one event, at any time', () => {
    const failure = new UpstreamError('upstream_overloaded', 'The mill is busy.')
    const expected = { type: 'error', error: { type: 'overloaded_error', message: 'The mill is busy.' } }
    const encoder = messages.read(ASKED).createEncoder(HEAD, 100)
    expect(eventsOf(encoder.fail(failure))).toEqual([expected])
    const begun = messages.read(ASKED).createEncoder(HEAD, 100)
    begun.encode([ROLE, say('a')])
    expect(eventsOf(begun.fail(failure))).toEqual([expected])
  })

  test.each([
    ['half an object', [call(0, 'x', '{"b":'), finish('tool_calls')]],
    ['no object', [call(0, 'x', '"b"'), finish('tool_calls')]],
    ['more than one', [call(0, 'x', '{}'), say('a'), more(0, '{}'), finish('tool_calls')]],
  ])('fails where the input of a call is %s, behind what was good', (_, frames) => {
    const encoder = messages.read(ASKED).createEncoder(HEAD, 100)
    expect(() => encoder.encode([ROLE, say('good'), ...frames])).toThrow(UpstreamError)
    const seen = eventsOf(encoder.fail(new UpstreamError('upstream_malformed', 'No.'))).map(({ type }) => type)
    expect([seen[0], seen.at(-1)]).toEqual(['message_start', 'error'])
  })
})

describe('a whole answer', () => {
  test('says the same', async () => {
    const frames = [
      ROLE,
      think('Hm.'),
      say('é'),
      ready('"\n', 'content'),
      call(0, 'x', '{"b":'),
      more(0, '1}'),
      call(1, 'y'),
      finish('tool_calls'),
      TOLD,
    ]
    await expect(collect(frames)).resolves.toEqual({
      id: 'msg_test',
      type: 'message',
      role: 'assistant',
      model: 'sim/mühle',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: '' },
        { type: 'text', text: 'é"\n' },
        { type: 'tool_use', id: 'x', name: 'turn', input: { b: 1 } },
        { type: 'tool_use', id: 'y', name: 'turn', input: {} },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 10, output_tokens: 2 },
    })
  })

  test.each<[FinishReason, string]>([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['content_filter', 'refusal'],
  ])('%s is %s', async (reason, stop_reason) => {
    await expect(collect([ROLE, say('a'), finish(reason), TOLD])).resolves.toMatchObject({ stop_reason })
  })

  test('has no call that was cut off, and no thoughts that nobody wants to see', async () => {
    const cut = [ROLE, think('Hm.'), say('a'), call(0, 'x', '{"b":'), finish('length'), TOLD]
    const body = { thinking: { type: 'disabled' } }
    await expect(collect(cut, body)).resolves.toMatchObject({
      content: [{ type: 'text', text: 'a' }],
      stop_reason: 'max_tokens',
    })
  })

  test('is none where the input of a call is no object', async () => {
    await expect(collect([ROLE, call(0, 'x', '[1]'), finish('tool_calls')])).rejects.toMatchObject({
      code: 'upstream_malformed',
    })
  })
})

describe('a failure with a status', () => {
  test.each([
    ['invalid_value', 400, 'invalid_request_error'],
    ['invalid_api_key', 401, 'authentication_error'],
    ['account_not_shared', 403, 'permission_error'],
    ['model_not_found', 404, 'not_found_error'],
    ['method_not_allowed', 405, 'invalid_request_error'],
    ['request_too_large', 413, 'request_too_large'],
    ['rate_limit_exceeded', 429, 'rate_limit_error'],
    ['internal_error', 500, 'api_error'],
    ['upstream_error', 502, 'api_error'],
    ['gateway_shutdown', 503, 'overloaded_error'],
    ['idle_timeout', 504, 'timeout_error'],
  ] as const)('%s', (code, status, type) => {
    expect(messages.toError(new GatewayError(code, 'No.'), 'req-1')).toEqual({
      status,
      body: { type: 'error', error: { type, message: 'No.' }, request_id: 'req-1' },
    })
  })

  test.each([
    [
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
      'prompt is too long: 9000 tokens > 8192 maximum',
    ],
    ['prompt is too long: 9000 tokens > 8192 maximum', 'prompt is too long: 9000 tokens > 8192 maximum'],
    ['Range of input length should be [1, 8192]', 'prompt is too long: Range of input length should be [1, 8192]'],
  ])('a conversation that is too long is told in the words that clients know: %s', (message, expected) => {
    const { body } = messages.toError(new UpstreamError('context_length_exceeded', message), 'req-1')
    expect(body).toMatchObject({ error: { type: 'invalid_request_error', message: expected } })
  })
})
