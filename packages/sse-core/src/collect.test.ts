import { UpstreamError, type Frame } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { toUsageChunk } from './encode.ts'
import { readFrames } from './frames.ts'
import { ending, frameOf, framesOf, HEAD, opening, replyOf } from './testing/replay.ts'
import { SERVERS } from './testing/servers.ts'

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const call = (index: number, id: string, name: string): Frame =>
  frameOf({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] })
const piece = (index: number, text: string): Frame =>
  frameOf({ tool_calls: [{ index, function: { arguments: text } }] })

describe('one choice', () => {
  test('has all the members that clients read, even where they are null (S-A4)', async () => {
    const frames = framesOf([
      [opening(), frameOf({ content: 'Hel' })],
      [frameOf({ content: 'lo' }), ending()],
    ])
    expect(await collect(frames, HEAD)).toStrictEqual({
      id: HEAD.id,
      object: 'chat.completion',
      created: HEAD.created,
      model: HEAD.model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null, tool_calls: null, function_call: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: null,
      service_tier: null,
      system_fingerprint: null,
    })
  })

  test('usage and what is known of the whole answer stand beside it', async () => {
    const known = { system_fingerprint: 'fp_1', service_tier: 'default', citations: ['u'] }
    const frames = framesOf([
      [frameOf({ role: 'assistant', content: '' }, {}, known), ending(), { chunk: toUsageChunk(HEAD, usage) }],
    ])
    expect(await collect(frames, HEAD)).toMatchObject({ ...known, usage })
  })

  test('tool calls are joined; without text the content is null', async () => {
    const { choices } = await collect(
      framesOf([
        [opening(), call(0, 'a', 'f'), piece(0, '{"x"'), call(1, 'b', 'g')],
        [piece(1, '{}'), piece(0, ':1}'), ending('tool_calls')],
      ]),
      HEAD,
    )
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
        ],
      },
    })
  })

  test('what came with a tool call stays with it', async () => {
    const delta = {
      index: 0,
      id: 'a',
      type: 'function',
      function: { name: 'f', arguments: '' },
      extra_content: { signature: 's' },
    } as const
    const { choices } = await collect(framesOf([[frameOf({ tool_calls: [delta] }), ending('tool_calls')]]), HEAD)
    expect(choices[0]?.message.tool_calls?.[0]).toStrictEqual({
      id: 'a',
      type: 'function',
      function: { name: 'f', arguments: '' },
      extra_content: { signature: 's' },
    })
  })

  test('the older form of a call is joined', async () => {
    const { choices } = await collect(
      framesOf([
        [
          frameOf({ function_call: { name: 'f', arguments: '' } }),
          frameOf({ function_call: { arguments: '{}' } }),
          ending('function_call'),
        ],
      ]),
      HEAD,
    )
    expect(choices[0]?.message).toMatchObject({
      content: null,
      tool_calls: null,
      function_call: { name: 'f', arguments: '{}' },
    })
  })

  test('reasoning and refusal are joined', async () => {
    const deltas = [{ reasoning_content: 'a' }, { reasoning_content: 'b' }, { refusal: 'n' }, { refusal: 'o' }]
    const { choices } = await collect(framesOf([[...deltas.map(delta => frameOf(delta)), ending()]]), HEAD)
    expect(choices[0]?.message).toMatchObject({ content: null, reasoning_content: 'ab', refusal: 'no' })
  })

  test('an answer without a word has empty content', async () => {
    const { choices } = await collect(framesOf([[opening(), ending('length')]]), HEAD)
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '' } })
  })

  test('probabilities are joined, list by list', async () => {
    const { choices } = await collect(
      framesOf([
        [frameOf({ content: 'a' }, { logprobs: { content: [{ token: 'a' }], refusal: null } })],
        [
          frameOf({ content: 'b' }, { logprobs: { content: [{ token: 'b' }, { token: 'c' }] } }),
          frameOf({ content: 'd' }),
          ending(),
        ],
      ]),
      HEAD,
    )
    expect(choices[0]?.logprobs).toEqual({ content: [{ token: 'a' }, { token: 'b' }, { token: 'c' }], refusal: null })
  })

  test('lists that are handed on are joined, of other members the last counts; what was given is not changed', async () => {
    const first = { annotations: [{ url: 'a' }], audio: { id: 'x' } }
    const { choices } = await collect(
      framesOf([[frameOf(first), frameOf({ annotations: [{ url: 'b' }], audio: { id: 'y' } }), ending()]]),
      HEAD,
    )
    expect(choices[0]?.message).toMatchObject({ annotations: [{ url: 'a' }, { url: 'b' }], audio: { id: 'y' } })
    expect(first.annotations).toHaveLength(1)
  })
})

test('several choices, in the order of their indexes', async () => {
  const { choices } = await collect(
    framesOf([
      [opening(2), frameOf({ content: 'c' }, { index: 2 })],
      [frameOf({ content: 'a' }), ending('length', 2), ending()],
    ]),
    HEAD,
  )
  expect(choices.map(({ index, message, finish_reason }) => [index, message.content, finish_reason])).toEqual([
    [0, 'a', 'stop'],
    [2, 'c', 'length'],
  ])
})

test('of an answer that fails nothing is made', async () => {
  const fault = new UpstreamError('upstream_truncated', 'cut')
  await expect(collect(framesOf([[frameOf({ content: 'a' })]], fault), HEAD)).rejects.toBe(fault)
})

test('ten thousand pieces take no long time', async () => {
  const pieces = Array.from({ length: 20_000 }, () =>
    frameOf({ content: 'x' }, { logprobs: { content: [{ token: 'x' }] } }),
  )
  const begun = process.cpuUsage()
  const { choices } = await collect(framesOf([[...pieces, ending()]]), HEAD)
  expect(choices[0]?.message.content).toHaveLength(20_000)
  expect(process.cpuUsage(begun).user).toBeLessThan(1_000_000)
})

test.each(SERVERS)(
  'a stream although none was asked becomes a completion: $name',
  async ({ stream, deltas, finish, usage: told }) => {
    const whole = await collect(readFrames(replyOf([stream]), HEAD), HEAD)
    expect(whole.choices).toHaveLength(1)
    const { message, finish_reason } = whole.choices[0]!
    expect(finish_reason).toBe(finish)
    expect(message.content ?? '').toBe(deltas.map(({ content }) => content ?? '').join(''))
    expect(message.reasoning_content ?? '').toBe(deltas.map(({ reasoning_content: text }) => text ?? '').join(''))
    const pieces = deltas.flatMap(({ tool_calls }) => tool_calls ?? []).map(call => call.function.arguments)
    expect((message.tool_calls ?? []).map(call => call.function.arguments).join('')).toBe(pieces.join(''))
    expect(whole.usage?.total_tokens).toBe(told?.[2])
  },
)
