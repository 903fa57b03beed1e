import type { UpstreamError } from '@millrace/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { readFrames } from './frames.ts'
import { expectContract } from './testing/contract.ts'
import { event, gather, HEAD, replyOf, sse } from './testing/replay.ts'
import { createToolCalls } from './tool-calls.ts'

const MADE_UP = /^call_[A-Za-z0-9]{24}$/

/** Raw deltas → the calls they make: id (`?` where it was made up), name, arguments. */
function callsOf(deltas: readonly unknown[]): string[] {
  const tools = createToolCalls()
  const out = deltas.flatMap(delta => tools.push(delta))
  tools.end()
  const openings = out.filter(({ id }) => id !== undefined)
  const pieces = out.filter(({ id }) => id === undefined)
  const text = expect.stringMatching(/./s) as string
  // Dense and in order, and only the first delta says who it is.
  expect(openings).toEqual(
    openings.map((_, index) => ({ index, id: text, type: 'function', function: { name: text, arguments: '' } })),
  )
  expect(new Set(openings.map(({ id }) => id)).size).toBe(tools.opened())
  expect(pieces).toEqual(pieces.map(({ index }) => ({ index, function: { arguments: text } })))
  return openings.map(({ index, id = '', function: { name } }) => {
    const own = pieces.filter(piece => piece.index === index).map(piece => piece.function.arguments)
    return `${MADE_UP.test(id) ? '?' : id} ${name}(${own.join('')})`
  })
}

const call = (index: unknown, id: unknown, name: unknown, args: unknown): object => ({
  ...(index === undefined ? undefined : { index }),
  ...(id === undefined ? undefined : { id }),
  type: 'function',
  function: {
    ...(name === undefined ? undefined : { name }),
    ...(args === undefined ? undefined : { arguments: args }),
  },
})

describe('dialects (U23)', () => {
  test.each<[string, unknown[], string[]]>([
    [
      'as it should be',
      [call(0, 'a', 'f', ''), call(0, undefined, undefined, '{"x"'), call(0, undefined, undefined, ':1}')],
      ['a f({"x":1})'],
    ],
    ['two calls', [call(0, 'a', 'f', '{}'), call(1, 'b', 'g', '{}')], ['a f({})', 'b g({})']],
    [
      'two calls that mix',
      [call(0, 'a', 'f', ''), call(1, 'b', 'g', ''), call(0, '', '', '{'), call(1, '', '', '['), call(0, '', '', '}')],
      ['a f({})', 'b g([)'],
    ],
    [
      'indexes with gaps',
      [call(3, 'a', 'f', '{}'), call(7, 'b', 'g', '{}'), call(3, undefined, undefined, ' ')],
      ['a f({} )', 'b g({})'],
    ],
    ['indexes as words', [call('0', 'a', 'f', '{'), call('0', undefined, undefined, '}')], ['a f({})']],
    ['index null', [call(null, 'a', 'f', '{'), call(null, null, null, '}')], ['a f({})']],
    [
      'no index, whole calls',
      [call(undefined, 'a', 'f', '{}'), call(undefined, 'b', 'f', '{}')],
      ['a f({})', 'b f({})'],
    ],
    [
      'no index, no id, whole calls',
      [
        call(undefined, undefined, 'f', '{}'),
        call(undefined, '', 'f', '{"b":2}'),
        call(undefined, undefined, 'g', '{}'),
      ],
      ['? f({})', '? f({"b":2})', '? g({})'],
    ],
    [
      'no index, in pieces',
      [
        call(undefined, 'a', 'f', '{'),
        call(undefined, undefined, undefined, '}'),
        call(undefined, 'b', 'f', '{'),
        call(undefined, '', undefined, '}'),
      ],
      ['a f({})', 'b f({})'],
    ],
    [
      'no index, no id, in pieces',
      [
        call(undefined, undefined, 'f', '{'),
        call(undefined, undefined, undefined, '}'),
        call(undefined, undefined, 'f', '{"b"'),
        call(undefined, undefined, undefined, ':2}'),
      ],
      ['? f({})', '? f({"b":2})'],
    ],
    [
      'no index, a known id again',
      [call(undefined, 'a', 'f', '{'), call(undefined, 'b', 'g', '['), call(undefined, 'a', undefined, '}')],
      ['a f({})', 'b g([)'],
    ],
    [
      'an index used again with another id',
      [call(0, 'a', 'f', '{"x":1}'), call(0, 'b', 'g', ''), call(0, '', undefined, '{"y":2}')],
      ['a f({"x":1})', 'b g({"y":2})'],
    ],
    [
      'an index used again, back to the first id',
      [call(0, 'a', 'f', '{'), call(0, 'b', 'g', '['), call(0, 'a', undefined, '}')],
      ['a f({})', 'b g([)'],
    ],
    ['an index used again without ids', [call(0, '', 'f', '{}'), call(0, '', 'g', '{}')], ['? f({})', '? g({})']],
    ['the id in each delta', [call(0, 'a', 'f', ''), call(0, 'a', undefined, '{'), call(0, 'a', '', '}')], ['a f({})']],
    [
      'the name in each delta',
      [call(0, 'a', 'f', '{"x"'), call(0, 'a', 'f', ':{}'), call(0, '', 'f', '}')],
      ['a f({"x":{}})'],
    ],
    [
      'the name in each delta, braces in a text',
      [call(0, 'a', 'f', '{"x":"}\\"'), call(0, 'a', 'f', '}"'), call(0, 'a', 'f', '}')],
      ['a f({"x":"}\\"}"})'],
    ],
    ['the name again at the end', [call(0, 'a', 'f', '{}'), call(0, 'a', 'f', '')], ['a f({})']],
    ['white space behind whole arguments', [call(0, 'a', 'f', '{}'), call(0, 'a', 'f', '\n')], ['a f({}\n)']],
    ['no id', [call(0, undefined, 'f', '{}')], ['? f({})']],
    ['an empty id', [call(0, '', 'f', '{}')], ['? f({})']],
    ['an id that is a number', [call(0, 5, 'f', '{}')], ['? f({})']],
    ['an id that comes late', [call(0, undefined, 'f', '{'), call(0, 'a', undefined, '}')], ['? f({})']],
    ['an id twice', [call(0, 'a', 'f', '{}'), call(1, 'a', 'g', '{}')], ['a f({})', '? g({})']],
    [
      'the name late',
      [call(0, 'a', undefined, '{"x"'), call(0, 'a', '', ':1'), call(0, 'a', 'f', '}'), call(0, 'a', undefined, ' ')],
      ['a f({"x":1} )'],
    ],
    [
      'the name late, behind another call',
      [call(0, 'a', undefined, '{}'), call(1, 'b', 'g', '{}'), call(0, '', 'f', undefined)],
      ['b g({})', 'a f({})'],
    ],
    [
      'the name late, then another call',
      [
        call(undefined, undefined, undefined, '{}'),
        call(undefined, undefined, 'f', ''),
        call(undefined, undefined, 'f', '{"b":2}'),
      ],
      ['? f({})', '? f({"b":2})'],
    ],
    ['arguments null', [call(0, 'a', 'f', null), call(0, '', undefined, null)], ['a f()']],
    ['arguments missing', [call(0, 'a', 'f', undefined)], ['a f()']],
    ['arguments as an object', [call(0, 'a', 'f', { x: { y: [1] } })], ['a f({"x":{"y":[1]}})']],
    ['arguments that are no object', [call(0, 'a', 'f', '"x"'), call(0, 'a', 'f', '[]')], ['a f("x"[])']],
    [
      'a custom tool',
      [{ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'free text' } }],
      ['a f(free text)'],
    ],
    ['name and arguments beside the id', [{ index: 0, id: 'a', name: 'f', arguments: '{}' }], ['a f({})']],
    ['function null', [call(0, 'a', 'f', '{}'), { index: 0, function: null }], ['a f({})']],
    ['empty deltas', [{}, call(undefined, '', '', ''), call(0, '', '', ''), null, 'x', 5, []], []],
    ['an id and nothing else', [call(0, 'a', undefined, ''), call(1, 'b', 'g', '{}')], ['b g({})']],
  ])('%s', (_, deltas, calls) => {
    expect(callsOf(deltas)).toEqual(calls)
  })

  test.each([[-1], [128], [2 ** 53], [1.5], ['__proto__'], ['constructor'], ['-1'], ['9999'], [true], [{}], [[0]]])(
    'the index %j is refused',
    index => {
      expect(() => callsOf([call(index, 'a', 'f', '{}')])).toThrow('index outside 0…127')
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    },
  )

  test('names that reach for prototypes are but names', async () => {
    const delta =
      '{"tool_calls":[{"index":0,"id":"__proto__","function":{"name":"__proto__","arguments":"{\\"__proto__\\":{\\"polluted\\":1}}","__proto__":{"polluted":1}}}],"__proto__":{"polluted":1}}'
    const stream = `data: {"choices":[{"index":0,"delta":${delta},"__proto__":{"polluted":1}}],"__proto__":{"polluted":1},"usage":{"prompt_tokens":1,"__proto__":{"polluted":1}}}\n\ndata: [DONE]\n\n`
    const whole = await collect(readFrames(replyOf([stream]), HEAD), HEAD)
    expect(whole.choices[0]?.message.tool_calls).toEqual([
      { id: '__proto__', type: 'function', function: { name: '__proto__', arguments: '{"__proto__":{"polluted":1}}' } },
    ])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect((whole.usage as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('a call that never gets its name is a failure', () => {
    expect(() => callsOf([call(0, 'a', undefined, '{}')])).toThrow('a tool call without a name')
  })

  test('no more than 128 calls, and no more than 8 MiB held', () => {
    expect(callsOf(Array.from({ length: 128 }, () => call(undefined, undefined, 'f', '{}')))).toHaveLength(128)
    expect(() => callsOf(Array.from({ length: 129 }, () => call(undefined, undefined, 'f', '{}')))).toThrow(
      'more than 128',
    )
    const mebibyte = 'x'.repeat(1024 * 1024)
    expect(() => callsOf(Array.from({ length: 9 }, () => call(0, 'a', undefined, mebibyte)))).toThrow('more than 8 MiB')
    expect(
      callsOf([call(0, 'a', 'f', ''), ...Array.from({ length: 9 }, () => call(0, '', '', mebibyte))]),
    ).toHaveLength(1)
  })

  test('many pieces under a repeated name cost no more than their length', () => {
    const tools = createToolCalls()
    const begun = process.cpuUsage()
    tools.push(call(0, 'a', 'f', '{"x":"'))
    for (let at = 0; at < 50_000; at++) tools.push(call(0, 'a', 'f', 'some more of it}'))
    // A fraction of a second; where each piece is joined to all before it, it is minutes.
    expect(process.cpuUsage(begun).user).toBeLessThan(5_000_000)
  })

  test('what Gemini wants back with a call goes out with it', () => {
    const extra_content = { google: { thought_signature: 'c2ln' } }
    const [opening] = createToolCalls().push({ ...call(0, 'a', 'f', '{}'), extra_content })
    expect(opening).toMatchObject({ id: 'a', extra_content })
  })
})

const anyCall = fc
  .tuple(
    fc.constantFrom(undefined, null, 0, 0, 1, 1, '1'),
    fc.constantFrom(undefined, '', 'a', 'b'),
    fc.constantFrom(undefined, undefined, '', 'f', 'g'),
    fc.constantFrom('', '{', '{}', '}', '"a"', ' ', null, undefined, { a: 1 }),
  )
  .map(parts => call(...parts))

test('any deltas give calls that keep the contract, the same however the events look', async () => {
  const stretch = fc
    .tuple(anyCall, fc.integer({ min: 1, max: 4 }))
    .map(([one, times]) => Array.from({ length: times }, () => one))
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { maxLength: 8 }), async stretches => {
      const deltas = stretches.flat().map(one => ({ tool_calls: [one] }))
      const alike = await gather(readFrames(replyOf([sse(...deltas.map(delta => event(delta)))]), HEAD))
      const varied = deltas.map((delta, at) => event(delta, null, { n: at }))
      expectContract(alike.chunks, HEAD, alike.code === undefined)
      const other = await gather(readFrames(replyOf([sse(...varied)]), HEAD))
      expect(other.chunks).toEqual(alike.chunks)
      expect((other.error as UpstreamError | undefined)?.message).toBe(
        (alike.error as UpstreamError | undefined)?.message,
      )
    }),
    { numRuns: 500 },
  )
})

const sorted = (text: string): string => [...text].toSorted().join('')

test('no piece of arguments is lost', () => {
  const whole = fc.array(anyCall, { maxLength: 10 }).filter(raw => {
    const tools = createToolCalls()
    for (const delta of raw) tools.push(delta)
    try {
      tools.end()
      return true
    } catch {
      return false
    }
  })
  fc.assert(
    fc.property(whole, raw => {
      const tools = createToolCalls()
      const told = raw.flatMap(delta => tools.push(delta)).map(delta => delta.function.arguments)
      const given = (raw as { function: { arguments?: unknown } }[])
        .map(delta => delta.function.arguments ?? '')
        .map(text => (typeof text === 'string' ? text : JSON.stringify(text)))
      expect(sorted(told.join(''))).toBe(sorted(given.join('')))
    }),
    { numRuns: 500 },
  )
})
