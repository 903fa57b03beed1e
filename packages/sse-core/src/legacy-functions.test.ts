import { ChatRequest, UpstreamError, type Delta, type Frame } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { fromLegacyFunctions, withLegacyFunctions } from './legacy-functions.ts'
import { expectContract } from './testing/contract.ts'
import { ending, frameOf, framesOf, gather, HEAD, HEAD_WITH_USAGE, opening, readAll, said } from './testing/replay.ts'

const call = (index: number, name: string, text = ''): Delta => ({
  tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: text } }],
})
const piece = (index: number, text: string): Delta => ({ tool_calls: [{ index, function: { arguments: text } }] })

describe('answers', () => {
  test.each<[string, Delta[], Delta[]]>([
    [
      'a call',
      [call(0, 'f'), piece(0, '{"x"'), piece(0, ':1}')],
      [
        { function_call: { name: 'f', arguments: '' } },
        { function_call: { arguments: '{"x"' } },
        { function_call: { arguments: ':1}' } },
      ],
    ],
    [
      'a whole call in one delta',
      [call(0, 'f', '{}')],
      [{ function_call: { name: 'f', arguments: '' } }, { function_call: { arguments: '{}' } }],
    ],
    [
      'text and reasoning before it',
      [{ reasoning_content: 'r' }, { content: 'c' }, call(0, 'f')],
      [{ reasoning_content: 'r' }, { content: 'c' }, { function_call: { name: 'f', arguments: '' } }],
    ],
    [
      'text in the same delta',
      [{ content: 'c', ...call(0, 'f') }],
      [{ content: 'c' }, { function_call: { name: 'f', arguments: '' } }],
    ],
    [
      'further calls are dropped',
      [call(0, 'f'), call(1, 'g'), piece(1, '{}'), piece(0, '{}')],
      [{ function_call: { name: 'f', arguments: '' } }, { function_call: { arguments: '{}' } }],
    ],
  ])('%s', async (_, deltas, told) => {
    const frames = [opening(), ...deltas.map(delta => frameOf(delta)), ending('tool_calls')]
    const { chunks, batches } = await gather(withLegacyFunctions(framesOf(frames.map(frame => [frame])), HEAD))
    expect(said(chunks)).toEqual({ deltas: told, finish: 'function_call' })
    expectContract(chunks, HEAD, true)
    expect(batches.every(batch => batch.length > 0)).toBe(true)
  })

  test('without a call nothing is touched', async () => {
    const frames = await readAll(...['one', ' two', ' three'].map(content => ({ content })))
    const { frames: out } = await gather(withLegacyFunctions(framesOf([frames]), HEAD))
    expect(out.every((frame, at) => frame === frames[at])).toBe(true)
    expect(out).toHaveLength(frames.length)
  })

  test('arguments that came as bytes are told in the older form too', async () => {
    const frames = await readAll(call(0, 'f'), ...['{', '"x"', ':1', '}'].map(text => piece(0, text)))
    expect(frames.filter(({ bytes }) => bytes !== undefined)).toHaveLength(3)
    const whole = await collect(withLegacyFunctions(framesOf([frames]), HEAD), HEAD)
    expect(whole.choices[0]).toMatchObject({
      finish_reason: 'function_call',
      message: { content: null, tool_calls: null, function_call: { name: 'f', arguments: '{"x":1}' } },
    })
  })

  test('each choice has a call of its own, and other ends stay', async () => {
    const frames = [
      opening(0),
      opening(1),
      frameOf(call(0, 'f')),
      frameOf(call(0, 'g'), { index: 1 }),
      ending('tool_calls', 1),
      ending('length', 0),
    ]
    const { chunks } = await gather(withLegacyFunctions(framesOf([frames]), HEAD))
    expect(
      chunks
        .slice(2)
        .map(({ choices: [choice] }) => [choice?.index, choice?.delta.function_call?.name, choice?.finish_reason]),
    ).toEqual([
      [0, 'f', null],
      [1, 'g', null],
      [1, undefined, 'function_call'],
      [0, undefined, 'length'],
    ])
  })

  test('usage passes, other chunks say `usage: null` where it was asked for', async () => {
    const usage: Frame = {
      chunk: { ...opening().chunk, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
    }
    const { frames } = await gather(withLegacyFunctions(framesOf([[frameOf(call(0, 'f')), usage]]), HEAD_WITH_USAGE))
    expect(frames[0]?.chunk.usage).toBeNull()
    expect(frames[1]).toBe(usage)
  })

  test('a failure passes; leaving closes the source', async () => {
    const fault = new UpstreamError('upstream_truncated', 'cut')
    expect((await gather(withLegacyFunctions(framesOf([[opening()]], fault), HEAD))).error).toBe(fault)
    const source = framesOf([[opening()], [opening()]])
    for await (const batch of withLegacyFunctions(source, HEAD)) if (batch.length > 0) break
    expect(source.seen).toEqual({ batches: 1, closed: true })
  })
})

const called = (id: string, name: string, text: string): object => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})

describe('requests', () => {
  const user = { role: 'user', content: 'Hi' } as const
  const request = (members: object): ChatRequest => ChatRequest.parse({ model: 'm', messages: [user], ...members })
  const weather = { name: 'weather', description: 'd', parameters: { type: 'object' } }
  const tool = { type: 'function', function: weather }

  test('one that is not in the older form comes back as it is', () => {
    for (const members of [{}, { tools: [tool], tool_choice: 'auto' }, { functions: null, function_call: null }]) {
      const given = request(members)
      expect(fromLegacyFunctions(given)).toBe(given)
    }
  })

  test('functions are tools', () => {
    expect(fromLegacyFunctions(request({ functions: [weather], temperature: 1 }))).toStrictEqual({
      model: 'm',
      messages: [user],
      temperature: 1,
      tools: [tool],
    })
  })

  test.each<[unknown, unknown]>([
    ['none', 'none'],
    ['auto', 'auto'],
    [{ name: 'weather' }, { type: 'function', function: { name: 'weather' } }],
    [null, undefined],
    [undefined, undefined],
  ])('function_call %j is tool_choice %j', (function_call, tool_choice) => {
    const made = fromLegacyFunctions(request({ functions: [weather], function_call }))
    expect(made['tool_choice']).toEqual(tool_choice)
    expect(made).not.toHaveProperty('function_call')
  })

  test('a choice without anything to choose from is left out', () => {
    expect(fromLegacyFunctions(request({ function_call: 'auto' }))).toStrictEqual({ model: 'm', messages: [user] })
  })

  test('tools that are there stay, first, and so does the choice among them', () => {
    const other = { type: 'function', function: { name: 'other' } }
    const made = fromLegacyFunctions(
      request({ tools: [other], tool_choice: 'required', functions: [weather], function_call: 'none' }),
    )
    expect(made).toMatchObject({ tools: [other, tool], tool_choice: 'required' })
  })

  test('calls in the history have ids, and results refer to them', () => {
    const messages = [
      user,
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: 'one' },
      { role: 'assistant', content: 'So', function_call: { name: 'g', arguments: '{"a":1}' } },
      { role: 'assistant', function_call: { name: 'f', arguments: '{"b":2}' } },
      { role: 'function', name: 'g', content: 'two' },
      { role: 'function', name: 'f', content: null },
      { role: 'function', name: 'unknown', content: 'three' },
    ]
    const made = fromLegacyFunctions(request({ messages }))
    expect(made.messages).toStrictEqual([
      user,
      { role: 'assistant', content: null, tool_calls: [called('call_legacy_0', 'f', '{}')] },
      { role: 'tool', tool_call_id: 'call_legacy_0', content: 'one' },
      { role: 'assistant', content: 'So', tool_calls: [called('call_legacy_1', 'g', '{"a":1}')] },
      { role: 'assistant', tool_calls: [called('call_legacy_2', 'f', '{"b":2}')] },
      { role: 'tool', tool_call_id: 'call_legacy_1', content: 'two' },
      { role: 'tool', tool_call_id: 'call_legacy_2', content: '' },
      { role: 'tool', tool_call_id: 'call_legacy_2', content: 'three' },
    ])
    expect(fromLegacyFunctions(request({ messages }))).toEqual(made)
    expect(ChatRequest.parse(made)).toEqual(made)
  })

  test('a result without any call still has an id', () => {
    const made = fromLegacyFunctions(request({ messages: [{ role: 'function', name: 'f', content: 'one' }] }))
    expect(made.messages).toStrictEqual([{ role: 'tool', tool_call_id: 'call_legacy_0', content: 'one' }])
  })

  test('what was given is not changed', () => {
    const given = request({
      functions: [weather],
      messages: [{ role: 'assistant', function_call: { name: 'f', arguments: '' } }],
    })
    const before = structuredClone(given)
    fromLegacyFunctions(given)
    expect(given).toEqual(before)
  })
})
