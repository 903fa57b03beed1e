import { UpstreamError, type ChatChunk, type Delta, type Frame, type Usage } from '@millrace/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toUsageChunk } from './encode.ts'
import { withStop } from './stop.ts'
import { expectContract } from './testing/contract.ts'
import { ending, frameOf, framesOf, gather, HEAD, opening, readAll, said, textOf } from './testing/replay.ts'

const usage: Usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const usageFrame: Frame = { chunk: toUsageChunk(HEAD, usage) }
const words = (...texts: readonly string[]): Frame[] => texts.map(content => frameOf({ content }))
const logprobs = (token: string): object => ({ content: [{ token }] })
/** One frame a batch. */
const each = (frames: readonly Frame[]): Frame[][] => frames.map(frame => [frame])

async function stopped(
  stops: readonly string[],
  ...texts: readonly string[]
): Promise<{ texts: unknown[]; finish: string | null }> {
  const source = framesOf(each([opening(), ...words(...texts), ending('length'), usageFrame]))
  const { chunks, code } = await gather(withStop(source, stops, HEAD))
  expect(code).toBeUndefined()
  expect(source.seen.closed).toBe(true)
  expectContract(chunks, HEAD, true)
  const { deltas, finish } = said(chunks)
  return { texts: deltas.map(({ content }) => content), finish }
}

describe('one choice', () => {
  test.each<[string, string[], string[], string[], 'stop' | 'length']>([
    ['nothing to find', ['END'], ['one', ' two'], ['one', ' two'], 'length'],
    ['in one piece', ['END'], ['one END two'], ['one '], 'stop'],
    ['over pieces', ['END'], ['one', ' E', 'N', 'D two'], ['one', ' '], 'stop'],
    ['at the very beginning', ['END'], ['E', 'ND'], [], 'stop'],
    ['at the very end', ['END'], ['one', 'END'], ['one'], 'stop'],
    ['begun, not finished', ['END'], ['one E', 'N', 'O'], ['one ', 'E', 'N', 'O'], 'length'],
    ['begun at the end', ['END'], ['one', ' EN'], ['one', ' ', 'EN'], 'length'],
    ['begun twice', ['aab'], ['a', 'a', 'a', 'b'], ['a'], 'stop'],
    ['begun inside itself', ['abac'], ['aba', 'bac', 'x'], ['ab'], 'stop'],
    ['two that are begun at once', ['abcd', 'bx'], ['ab', 'x'], ['a'], 'stop'],
    ['one inside another: the first to be complete', ['abcd', 'bc'], ['xabcdx'], ['xa'], 'stop'],
    ['two that end together: the longer', ['bc', 'abc'], ['xabcx'], ['x'], 'stop'],
    ['the same twice', ['a', 'a'], ['ba'], ['b'], 'stop'],
    ['one letter', ['\n'], ['one\n', 'two'], ['one'], 'stop'],
    ['an empty one', ['', 'END'], ['one END'], ['one '], 'stop'],
    ['half a surrogate pair', ['\ud83e', 'END'], ['🦔 END'], ['🦔 '], 'stop'],
    ['of two units', ['🦔'], ['one 🦔 two'], ['one '], 'stop'],
    ['of two units, in two pieces', ['🦔'], ['one \ud83e', '\udd94 two'], ['one '], 'stop'],
    [
      'of two units, another with the same first',
      ['🦔'],
      ['one \ud83e', '\udd8a two'],
      ['one ', '\ud83e', '\udd8a two'],
      'length',
    ],
  ])('%s', async (_, stops, texts, out, finish) => {
    const outcome = await stopped(stops, ...texts)
    expect({ ...outcome, texts: outcome.texts.filter(text => text !== '') }).toEqual({ texts: out, finish })
  })

  test('without stop sequences the frames are not touched at all', () => {
    const source = framesOf([])
    expect(withStop(source, [], HEAD)).toBe(source)
    expect(withStop(source, ['', '\ud83e'], HEAD)).toBe(source)
  })

  test('frames that are let through are let through as they are', async () => {
    const frames = await readAll(...['one', ' E', ' two', 'EN', 'ough', ' three'].map(content => ({ content })))
    expect(frames.filter(({ bytes }) => bytes !== undefined)).toHaveLength(5)
    const { frames: out, chunks } = await gather(withStop(framesOf(each(frames)), ['END'], HEAD))
    expect(frames.map(frame => out.includes(frame))).toEqual([true, true, false, true, true, true, true, true])
    expect(said(chunks).deltas.map(({ content }) => content)).toEqual(['one', ' ', 'E', ' two', 'EN', 'ough', ' three'])
  })

  test('frames without text keep their place', async () => {
    const frames = [
      opening(),
      ...words('E'),
      frameOf({}, { logprobs: {} }),
      ...words('N'),
      frameOf({}),
      ...words('O'),
      ending(),
    ]
    const { frames: out } = await gather(withStop(framesOf(each(frames)), ['END'], HEAD))
    expect(out).toEqual(frames)
  })

  test('the role goes out although nothing else of its frame does', async () => {
    const source = framesOf([[frameOf({ role: 'assistant', content: 'END' })], [ending()]])
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expectContract(chunks, HEAD, true)
    expect(said(chunks)).toEqual({ deltas: [], finish: 'stop' })
  })

  test('the role stays with the first of a frame that is cut', async () => {
    const source = framesOf([
      [frameOf({ role: 'assistant', content: 'one E' })],
      [frameOf({ content: 'nd' }), ending()],
    ])
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: 'assistant', content: 'one ' },
      { content: 'E' },
      { content: 'nd' },
      {},
    ])
  })

  test('probabilities go out with the last of their text, or not at all', async () => {
    const source = framesOf(
      each([
        opening(),
        frameOf({ content: 'one E' }, { logprobs: logprobs('one E') }),
        frameOf({ content: 'x END' }, { logprobs: logprobs('x END') }),
      ]),
    )
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expect(chunks.map(({ choices: [choice] }) => [choice?.delta.content, choice?.logprobs])).toEqual([
      ['', undefined],
      ['one ', undefined],
      ['E', logprobs('one E')],
      ['x ', undefined],
      [undefined, undefined],
    ])
  })

  test.each<[string, Frame, Delta]>([
    [
      'a tool call',
      frameOf({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      {},
    ],
    ['a refusal', frameOf({ refusal: 'no' }), {}],
    ['reasoning', frameOf({ reasoning_content: 'hm' }), {}],
    ['something handed on', frameOf({ annotations: [] }), {}],
  ])('what is held back goes out before %s', async (_, other) => {
    const source = framesOf(each([opening(), ...words('one E'), other, ...words('ND', ' two')]))
    const { frames } = await gather(withStop(source, ['END'], HEAD))
    expect(frames.slice(1, 3).map(({ chunk }) => chunk.choices[0]?.delta)).toEqual([
      { content: 'one ' },
      { content: 'E' },
    ])
    expect(frames[3]).toBe(other)
    // And a sequence that goes on behind it is found all the same.
    expect(frames).toHaveLength(5)
    expect(frames[4]?.chunk.choices[0]?.finish_reason).not.toBeNull()
  })

  test('a word that is begun before something else and goes on behind it is held back as far as it can', async () => {
    const source = framesOf(
      each([opening(), ...words('one E'), frameOf({ refusal: 'no' }), ...words('N', 'XE', 'ND', 'two')]),
    )
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expect(said(chunks)).toEqual({
      deltas: [{ content: 'one ' }, { content: 'E' }, { refusal: 'no' }, { content: 'N' }, { content: 'X' }],
      finish: 'stop',
    })
  })

  test('what comes behind the end of a choice is dropped', async () => {
    const { chunks } = await gather(withStop(framesOf([[opening(), ending(), ...words('late')]]), ['END'], HEAD))
    expectContract(chunks, HEAD, true)
    expect(said(chunks)).toEqual({ deltas: [], finish: 'stop' })
  })

  test('where tools were called they are the reason', async () => {
    const call = frameOf({
      tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }],
    })
    const { chunks } = await gather(withStop(framesOf(each([opening(), call, ...words('END')])), ['END'], HEAD))
    expectContract(chunks, HEAD, true)
    expect(said(chunks).finish).toBe('tool_calls')
  })

  test('only content is searched', async () => {
    const frames = [opening(), frameOf({ reasoning_content: 'END' }), frameOf({ refusal: 'END' }), ending()]
    const { frames: out } = await gather(withStop(framesOf(each(frames)), ['END'], HEAD))
    expect(out).toEqual(frames)
  })

  test('text, reasoning and end in one frame are told apart', async () => {
    const source = framesOf([
      [
        frameOf({ role: 'assistant', content: 'one EN', reasoning_content: 'END' }),
        frameOf({ content: 'D' }, { finish_reason: 'length' }),
      ],
    ])
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expect(chunks.map(({ choices: [choice] }) => [choice?.delta, choice?.finish_reason])).toEqual([
      [{ role: 'assistant', reasoning_content: 'END' }, null],
      [{ content: 'one ' }, null],
      [{}, 'stop'],
    ])
  })

  test('a failure releases what was held back, and is told', async () => {
    const fault = new UpstreamError('upstream_truncated', 'cut')
    const outcome = await gather(withStop(framesOf(each([opening(), ...words('one E', 'N')]), fault), ['END'], HEAD))
    expect(outcome.error).toBe(fault)
    expect(textOf(outcome.chunks)).toBe('one EN')
    expectContract(outcome.chunks, HEAD, false)
    const nothing = await gather(withStop(framesOf([[opening()]], fault), ['END'], HEAD))
    expect(nothing).toMatchObject({ error: fault, batches: [[opening()]] })
  })

  test('a source that just ends loses nothing', async () => {
    const { chunks } = await gather(withStop(framesOf([[opening(), ...words('one E')], [usageFrame]]), ['END'], HEAD))
    expect(textOf(chunks)).toBe('one E')
    expect(chunks.at(-1)?.usage).toEqual(usage)
  })
})

describe('the source', () => {
  test('is left once every choice has ended so', async () => {
    const source = framesOf([[opening(), ...words('one')], [...words(' END', 'more')], [ending()]])
    const { batches } = await gather(withStop(source, ['END'], HEAD))
    expect(source.seen).toEqual({ batches: 2, closed: true })
    expect(batches.map(batch => batch.length)).toEqual([2, 2])
  })

  test('usage that was told by then is kept, and stays last', async () => {
    const source = framesOf([[usageFrame, opening()], [...words('one END'), ending(), usageFrame], words('more')])
    const { chunks, batches } = await gather(withStop(source, ['END'], HEAD))
    expectContract(chunks, HEAD, true)
    expect(chunks.filter(chunk => chunk.usage != null)).toHaveLength(1)
    expect(batches).toHaveLength(2)
  })

  test('is read on while a choice goes on', async () => {
    const source = framesOf([
      [opening(0), opening(1)],
      [frameOf({ content: 'one END' }), frameOf({ content: 'two' }, { index: 1 })],
      [frameOf({ content: 'lost' }), frameOf({ content: ' EN' }, { index: 1 })],
      [ending('length', 0), ending('length', 1), usageFrame],
    ])
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expectContract(chunks, HEAD, true)
    const of = (index: number): readonly ChatChunk[] => chunks.filter(({ choices }) => choices[0]?.index === index)
    expect(textOf(of(0))).toBe('one ')
    expect(textOf(of(1))).toBe('two EN')
    expect(of(0).at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(of(1).at(-1)?.choices[0]?.finish_reason).toBe('length')
    expect(chunks.at(-1)?.usage).toEqual(usage)
  })

  test('is read on where a choice came to its own end: usage is about to come', async () => {
    const source = framesOf([
      [opening(0), opening(1)],
      [frameOf({ content: 'END' }), ending('length', 1)],
      [usageFrame],
    ])
    const { chunks } = await gather(withStop(source, ['END'], HEAD))
    expect(chunks.at(-1)?.usage).toEqual(usage)
  })

  test('is closed when its frames are left', async () => {
    const source = framesOf(each([opening(), ...words('one', 'two')]))
    for await (const batch of withStop(source, ['END'], HEAD)) if (batch.length > 0) break
    expect(source.seen).toEqual({ batches: 1, closed: true })
  })

  test('chunks with several choices, and with none', async () => {
    const both: Frame = {
      chunk: {
        ...opening().chunk,
        choices: [0, 1].map(index => ({
          index,
          delta: { role: 'assistant', content: `${index} END` },
          finish_reason: null,
        })),
      },
    }
    const none: Frame = { chunk: { ...opening().chunk, choices: [] } }
    const { chunks } = await gather(withStop(framesOf([[none, both]]), ['END'], HEAD))
    expect(chunks.map(({ choices }) => choices.map(({ index, delta }) => [index, delta.content]))).toEqual([
      [],
      [[0, '0 ']],
      [[0, undefined]],
      [[1, '1 ']],
      [[1, undefined]],
    ])
  })
})

/** Where the first stop sequence to be complete begins. */
function cutOf(text: string, stops: readonly string[]): number {
  for (let end = 1; end <= text.length; end++) {
    const begins = stops.filter(stop => text.slice(0, end).endsWith(stop)).map(stop => end - stop.length)
    if (begins.length > 0) return Math.min(...begins)
  }
  return text.length
}

test('whatever the text, the stops and the cuts: the same text, never a stop sequence, and batches stay together', async () => {
  const letters = fc.constantFrom('a', 'a', 'b', '\n', '🦔', '🦊')
  const text = fc.string({ unit: letters, maxLength: 24 })
  const stops = fc.array(fc.string({ unit: letters, minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
  const places = fc.array(fc.nat(48), { maxLength: 16 })
  await fc.assert(
    fc.asyncProperty(text, stops, places, places, fc.boolean(), async (whole, words, cuts, seams, fails) => {
      const ends = [...new Set([...cuts.filter(cut => cut < whole.length), whole.length])].toSorted(
        (one, other) => one - other,
      )
      const pieces = ends.map((end, at) => whole.slice(at === 0 ? 0 : ends[at - 1], end))
      const frames = [opening(), ...pieces.map(content => frameOf({ content })), ...(fails ? [] : [ending('length')])]
      const batches = frames.reduce<Frame[][]>((sorted, frame, at) => {
        if (at === 0 || seams.includes(at)) sorted.push([frame])
        else sorted.at(-1)!.push(frame)
        return sorted
      }, [])
      const fault = new UpstreamError('upstream_truncated', 'cut')
      const source = framesOf(batches, fails ? fault : undefined)
      const outcome = await gather(withStop(source, words, HEAD))
      const cut = cutOf(whole, words)
      expect(textOf(outcome.chunks)).toBe(whole.slice(0, cut))
      expect(words.filter(word => textOf(outcome.chunks).includes(word))).toEqual([])
      const reason = cut < whole.length ? 'stop' : fails ? null : 'length'
      expect(said(outcome.chunks).finish).toBe(reason)
      expect(outcome.code).toBe(reason === null ? 'upstream_truncated' : undefined)
      expectContract(
        outcome.chunks.filter(({ choices }) => choices[0]?.delta.content !== '' || choices[0].delta.role),
        HEAD,
        reason !== null,
      )
      expect(outcome.batches.every(batch => batch.length > 0)).toBe(true)
      expect(outcome.batches.length).toBeLessThanOrEqual(source.seen.batches + (fails ? 1 : 0))
      expect(source.seen.closed).toBe(true)
    }),
    { numRuns: 1000 },
  )
})
