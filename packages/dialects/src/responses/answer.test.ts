import {
  GatewayError,
  UpstreamError,
  type Delta,
  type FailureCode,
  type Frame,
  type UpstreamReply,
} from '@millrace/core'
import { createFramer, readFrames, toChunk } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { responses } from './index.ts'

const HEAD = { id: 'resp_test', created: 1_780_000_000, model: 'sim/text', includeUsage: true }
const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const TOOLS = [
  { type: 'function', name: 'turn' },
  { type: 'namespace', name: 'mill', tools: [{ type: 'function', name: 'stop' }] },
  { type: 'custom', name: 'patch' },
]

type Event = Readonly<Record<string, unknown>> & { readonly type: string; readonly item?: Record<string, unknown> }
interface Response {
  readonly status: string
  readonly output: readonly Record<string, unknown>[]
  readonly [member: string]: unknown
}

const read = (body: object = {}) => responses.read({ model: 'sim/text', input: 'Go', tools: TOOLS, ...body })

const begin = (index: number, name: string): Delta => ({
  tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }],
})
const argue = (index: number, text: string): Delta => ({ tool_calls: [{ index, function: { arguments: text } }] })

function answered(deltas: readonly Delta[], reason: Parameters<ReturnType<typeof createFramer>['end']>[0] = 'stop') {
  const framer = createFramer(HEAD)
  return [...deltas.flatMap(delta => framer.delta(delta)), ...framer.end(reason, USAGE)]
}

function eventsIn(bytes: Buffer): Event[] {
  const blocks = bytes.toString().split('\n\n').filter(Boolean)
  return blocks.map(block => JSON.parse(block.slice(block.indexOf('\ndata: ') + '\ndata: '.length)) as Event)
}

/** The events of a stream that ends well, each frame on its own. */
function streamed(frames: readonly Frame[], body?: object): Event[] {
  const encoder = read(body).createEncoder(HEAD, 0)
  const pieces = frames.map(frame => encoder.encode([frame]))
  return eventsIn(Buffer.concat([...pieces, encoder.end()]))
}

const responseIn = (events: readonly Event[]): Response => events.at(-1)!['response'] as Response
const short = ({ type }: Event): string => type.slice('response.'.length)
const deltasOf = (events: readonly Event[]): unknown[] => events.flatMap(event => event['delta'] ?? [])

describe('a stream', () => {
  test('has the events of each item in their order, numbered', () => {
    const deltas = [
      { reasoning_content: 'Hm.' },
      { content: 'Hel' },
      { content: 'lo' },
      begin(0, 'turn'),
      argue(0, '{}'),
    ]
    const events = streamed(answered(deltas, 'tool_calls'))
    expect(events.map(short)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ])
    expect(events.map(event => event['sequence_number'])).toEqual(events.map((_, at) => at))
    expect(responseIn(events)).toMatchObject({
      id: HEAD.id,
      status: 'completed',
      store: false,
      output: events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item),
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 5,
      },
    })
  })

  test('names each event before its data', () => {
    const bytes = read()
      .createEncoder(HEAD, 0)
      .encode(answered([{ content: 'a' }]))
    for (const block of bytes.toString().split('\n\n').filter(Boolean)) {
      const [, name, type] = /^event: (\S+)\ndata: \{"type":"([^"]+)",.*\}$/.exec(block)!
      expect(name).toBe(type)
    }
  })

  test('hands text on as it came, whatever is in it', async () => {
    const text = 'a "b" \\ \n龙👩‍🚀\u2028\u0085 \u0007'
    const said = ['one', 'two', text, 'x'.repeat(1000), text]
    const chunks = said.map(content => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }))
    const sse = [...chunks.map(chunk => JSON.stringify(chunk)), '[DONE]'].map(data => `data: ${data}\n\n`).join('')
    const body = Object.assign(ReadableStream.from([Buffer.from(sse)]).values(), { endWithin() {} })
    const reply: UpstreamReply = { status: 200, headers: { 'content-type': 'text/event-stream' }, body }
    const frames = (await Array.fromAsync(readFrames(reply, HEAD))).flat()
    expect(frames.some(({ bytes }) => bytes !== undefined)).toBe(true)
    const encoder = read().createEncoder(HEAD, 0)
    const bytes = Buffer.concat([encoder.encode(frames), encoder.end()])
    expect(deltasOf(eventsIn(bytes))).toEqual(said)
    expect(eventsIn(bytes).at(-2)!.item).toMatchObject({ content: [{ text: said.join('') }] })
    expect(bytes.toString()).not.toMatch(/[\u0085\u2028]/)
  })

  test('of other choices than the first nothing is told', () => {
    const frames = answered([{ content: 'a' }])
    const other = { chunk: toChunk(HEAD, { index: 1, delta: { content: 'b' }, finish_reason: null }) }
    expect(deltasOf(streamed([...frames.slice(0, 2), other, ...frames.slice(2)]))).toEqual(['a'])
  })

  test('without a word is complete', () => {
    expect(streamed(answered([])).map(short)).toEqual(['created', 'in_progress', 'completed'])
  })

  test('skips nothing that is sent before it', () => {
    expect(read().createEncoder(HEAD, 0).heartbeat().toString()).toMatch(/^: [^\n]+\n\n$/)
  })

  test('has something that can be sent back in its reasoning, where the client wants that', () => {
    const frames = answered([{ reasoning_content: 'Hm.' }])
    const summary = [{ type: 'summary_text', text: 'Hm.' }]
    expect(responseIn(streamed(frames)).output).toMatchObject([{ summary, encrypted_content: null }])
    const { output } = responseIn(streamed(frames, { include: ['reasoning.encrypted_content'] }))
    expect(output).toMatchObject([{ summary, encrypted_content: expect.any(String) }])
  })

  test('repeats what was asked', () => {
    const body = { instructions: 'Be brief.', temperature: 0.5, metadata: { a: 'b' }, tool_choice: 'required' }
    for (const event of streamed(answered([]), body)) expect(event['response']).toMatchObject({ ...body, tools: TOOLS })
  })
})

describe('tool calls', () => {
  test('in turns: one item at a time, the others wait', () => {
    const deltas = [begin(0, 'turn'), argue(0, '{"a"'), begin(1, 'turn'), argue(1, '{"b":1}'), argue(0, ':1}')]
    const events = streamed(answered([...deltas, begin(2, 'turn'), argue(2, '{"c":'), argue(2, '1}')], 'tool_calls'))
    const calls = events.filter(({ type }) => type.includes('function_call') || type.includes('output_item'))
    expect(calls.map(event => `${event['output_index']} ${short(event)}`)).toEqual([
      '0 output_item.added',
      '0 function_call_arguments.delta',
      '0 function_call_arguments.delta',
      '0 function_call_arguments.done',
      '0 output_item.done',
      '1 output_item.added',
      '1 function_call_arguments.delta',
      '1 function_call_arguments.done',
      '1 output_item.done',
      '2 output_item.added',
      '2 function_call_arguments.delta',
      '2 function_call_arguments.delta',
      '2 function_call_arguments.done',
      '2 output_item.done',
    ])
    const said = responseIn(events).output.map(item => [item['call_id'], item['arguments']])
    expect(said).toEqual([
      ['call_0', '{"a":1}'],
      ['call_1', '{"b":1}'],
      ['call_2', '{"c":1}'],
    ])
  })

  test('that are not whole when something else begins go on, and what began waits', () => {
    const deltas = [begin(0, 'turn'), argue(0, '{"a"'), { content: 'Mean' }, argue(0, ':1}'), { content: 'while' }]
    const events = streamed(answered(deltas, 'tool_calls'))
    expect(responseIn(events).output).toMatchObject([
      { type: 'function_call', arguments: '{"a":1}' },
      { type: 'message', content: [{ text: 'Meanwhile' }] },
    ])
    expect(deltasOf(events)).toEqual(['{"a"', ':1}', 'Meanwhile'])
  })

  test('without arguments have none, in JSON', () => {
    const events = streamed(answered([begin(0, 'turn')], 'tool_calls'))
    expect(deltasOf(events)).toEqual(['{}'])
    expect(responseIn(events).output).toMatchObject([{ arguments: '{}' }])
  })

  test('have their namespace back', () => {
    const events = streamed(answered([begin(0, 'mill__stop'), argue(0, '{}')], 'tool_calls'))
    const named = { type: 'function_call', name: 'stop', namespace: 'mill', call_id: 'call_0' }
    for (const { item } of events.filter(event => event.item !== undefined)) expect(item).toMatchObject(named)
    expect(events.find(({ type }) => type.endsWith('arguments.done'))).toMatchObject({ name: 'stop' })
  })

  test('of custom tools have their input', () => {
    const deltas = [begin(0, 'patch'), argue(0, '{"input":"a'), argue(0, '\\n龙"'), argue(0, '}'), begin(1, 'turn')]
    const events = streamed(answered(deltas, 'tool_calls'))
    expect(events.slice(2, 7).map(short)).toEqual([
      'output_item.added',
      'custom_tool_call_input.delta',
      'custom_tool_call_input.delta',
      'custom_tool_call_input.done',
      'output_item.done',
    ])
    expect(deltasOf(events).slice(0, 2)).toEqual(['a', '\n龙'])
    expect(responseIn(events).output[0]).toMatchObject({ type: 'custom_tool_call', name: 'patch', input: 'a\n龙' })
  })

  test('that go on behind their end are a fault; blanks are not', () => {
    const encoder = read().createEncoder(HEAD, 0)
    const push = (delta: Delta) => encoder.encode([{ chunk: toChunk(HEAD, { index: 0, delta, finish_reason: null }) }])
    for (const delta of [begin(0, 'turn'), argue(0, '{}'), begin(1, 'turn'), argue(0, ' \n')]) push(delta)
    expect(() => push(argue(0, '{}'))).toThrow(expect.objectContaining({ code: 'upstream_malformed' }))
  })
})

describe('other things said', () => {
  test('a refusal', () => {
    const { output } = responseIn(streamed(answered([{ refusal: 'No' }, { refusal: '.' }])))
    expect(output).toMatchObject([{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }])
  })

  test('citations, flat', () => {
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'http://a', title: 'A', start_index: 1, end_index: 2 } },
    ]
    const events = streamed(answered([{ content: 'abc' }, { annotations }]))
    const annotation = { type: 'url_citation', url: 'http://a', title: 'A', start_index: 1, end_index: 2 }
    expect(events.find(({ type }) => type.endsWith('annotation.added'))).toMatchObject({
      annotation_index: 0,
      annotation,
    })
    expect(responseIn(events).output).toMatchObject([{ content: [{ annotations: [annotation] }] }])
  })

  test('how likely each token was, where that was asked for', () => {
    const top = { token: 'a', logprob: -0.5, bytes: null }
    const logprobs = { content: [{ token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [top] }] }
    const chunk = toChunk(HEAD, { index: 0, delta: { content: 'a' }, finish_reason: null, logprobs })
    const told = [{ token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [{ token: 'a', logprob: -0.5, bytes: [] }] }]
    const events = streamed([{ chunk }], { include: ['message.output_text.logprobs'] })
    for (const event of events.filter(({ type }) => type.includes('output_text')))
      expect(event['logprobs']).toEqual(told)
    expect(responseIn(events).output).toMatchObject([{ content: [{ logprobs: told }] }])
    expect(responseIn(streamed([{ chunk }])).output).toMatchObject([{ content: [{ logprobs: [] }] }])
  })
})

describe('an end', () => {
  test.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ] as const)('by %s is incomplete, and so is what it cut', (finish, reason) => {
    const events = streamed(answered([{ content: 'a' }, begin(0, 'turn'), argue(0, '{"a')], finish))
    expect(events.at(-1)!.type).toBe('response.incomplete')
    expect(responseIn(events)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      completed_at: null,
      output: [{ status: 'completed' }, { status: 'incomplete', arguments: '{"a' }],
    })
  })

  test.each<[FailureCode, number | undefined, string, string]>([
    ['upstream_truncated', undefined, 'server_error', 'Cut.'],
    ['idle_timeout', undefined, 'server_error', 'Cut.'],
    ['internal_error', undefined, 'server_error', 'Cut.'],
    ['rate_limit_exceeded', 2500, 'rate_limit_exceeded', 'Cut. Please try again in 3s.'],
    ['upstream_overloaded', undefined, 'rate_limit_exceeded', 'Cut. Please try again in 5s.'],
    ['rate_limit_exceeded', 600_000, 'invalid_prompt', 'Cut.'],
    ['insufficient_quota', undefined, 'insufficient_quota', 'Cut.'],
    ['context_length_exceeded', undefined, 'context_length_exceeded', 'Cut.'],
    ['upstream_rejected', undefined, 'invalid_prompt', 'Cut.'],
    ['upstream_auth_failed', undefined, 'invalid_prompt', 'Cut.'],
  ])('by %s (after %s ms) fails with what clients understand', (failure, retryAfterMs, code, message) => {
    const encoder = read().createEncoder(HEAD, 0)
    const frames = answered([{ reasoning_content: 'Hm.' }, { content: 'a' }]).slice(0, -2)
    const before = encoder.encode(frames)
    const events = eventsIn(Buffer.concat([before, encoder.fail(new UpstreamError(failure, 'Cut.', { retryAfterMs }))]))
    expect(short(events.at(-2)!)).toBe('output_text.delta')
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: events.length - 1,
      response: { status: 'failed', error: { code, message }, output: [{ type: 'reasoning' }], usage: null },
    })
  })

  test('before anything was said is a stream too', () => {
    const events = eventsIn(read().createEncoder(HEAD, 0).fail(new GatewayError('gateway_shutdown', 'Enough.')))
    expect(events.map(short)).toEqual(['created', 'in_progress', 'failed'])
  })

  test('is told in a stream to Codex, and by a status to others', () => {
    const failure = new GatewayError('internal_error', 'No.')
    const [codex, other] = [{ client_metadata: {} }, {}].map(body => read(body).createEncoder(HEAD, 0))
    expect([codex?.tellsInStream?.(failure), other?.tellsInStream?.(failure)]).toEqual([true, false])
  })
})

describe('a whole answer', () => {
  test('is the response at the end of the stream', async () => {
    const frames = answered(
      [{ reasoning_content: 'Hm.' }, { content: '龙' }, begin(0, 'patch'), argue(0, 'x')],
      'tool_calls',
    )
    const whole = (await read().collect(
      (async function* () {
        yield frames
      })(),
      HEAD,
    )) as Response
    const withoutIds = ({ output, completed_at: _at, ...rest }: Response): object => ({
      ...rest,
      output: output.map(({ id: _id, ...item }) => item),
    })
    expect(withoutIds(whole)).toEqual(withoutIds(responseIn(streamed(frames))))
    expect(whole['completed_at']).toBeTypeOf('number')
  })

  test('of which half came is none', async () => {
    const fault = new UpstreamError('upstream_truncated', 'Cut.')
    const frames = (async function* () {
      yield answered([{ content: 'a' }]).slice(0, -2)
      throw fault
    })()
    await expect(read().collect(frames, HEAD)).rejects.toBe(fault)
  })
})

test.each<[FailureCode, string | undefined, object]>([
  ['upstream_rejected', 'messages', { param: 'input', code: 'upstream_rejected' }],
  ['upstream_rejected', 'response_format', { param: 'text.format' }],
  ['unsupported_parameter', 'previous_response_id', { code: 'previous_response_not_found' }],
  ['upstream_overloaded', undefined, { param: null, type: 'overloaded_error' }],
])('a failure with a status, %s by %s, is told in the words of the dialect', (code, param, error) => {
  const failure = new GatewayError(code, 'No.', { param })
  expect(responses.toError(failure, 'req_1')).toMatchObject({ status: failure.status, body: { error } })
})

test('ten thousand pieces take no long time', () => {
  const frames = answered([begin(0, 'turn'), ...Array.from({ length: 10_000 }, () => argue(0, '"'))])
  const begun = process.cpuUsage()
  expect(responseIn(streamed(frames)).output[0]!['arguments']).toHaveLength(10_000)
  expect(process.cpuUsage(begun).user).toBeLessThan(2_000_000)
})
