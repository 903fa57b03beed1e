import { UpstreamError, type Delta, type Frame } from '@millrace/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectContract } from './testing/contract.ts'
import {
  ending,
  event,
  frameOf,
  framesOf,
  gather,
  HEAD,
  opening,
  readAll,
  replyOf,
  sse,
  type Outcome,
} from './testing/replay.ts'
import { readFrames } from './frames.ts'
import { withThinkTags } from './think-tags.ts'

const words = (...texts: readonly string[]): Frame[] => texts.map(content => frameOf({ content }))
const each = (frames: readonly Frame[]): Frame[][] => frames.map(frame => [frame])

const run = (frames: readonly Frame[], fault?: Error, tag?: string): Promise<Outcome> =>
  gather(withThinkTags(framesOf(each(frames), fault), HEAD, tag))

/** The reasoning and the content of the first choice, each joined, with `|` between where they change. */
function told({ chunks }: Outcome): string[] {
  const parts: string[] = []
  let last = ''
  for (const { choices } of chunks) {
    const { reasoning_content: reasoning, content } = choices[0]?.delta ?? {}
    const kind = reasoning ? 'reasoning' : content ? 'content' : last
    if (kind !== last) parts.push(`${kind}: `)
    last = kind
    if (parts.length > 0) parts[parts.length - 1] += `${reasoning ?? ''}${content ?? ''}`
  }
  return parts
}

describe('what is told as reasoning', () => {
  test.each<[string, string[], string[]]>([
    ['the tagged beginning', ['<think>why</think>what'], ['reasoning: why', 'content: what']],
    ['in pieces', ['<thi', 'nk>', 'why', ' so</', 'think', '>', 'what'], ['reasoning: why so', 'content: what']],
    [
      'with white space before and behind',
      ['\n ', '\t<think>\nwhy\n</think>\n', '\n what\n'],
      ['reasoning: \nwhy\n', 'content: what\n'],
    ],
    ['nothing between the tags', ['<think></think>what'], ['content: what']],
    ['white space between the tags', ['<think>\n\n</think>\n\nwhat'], ['reasoning: \n\n', 'content: what']],
    ['no content behind', ['<think>why</think>'], ['reasoning: why']],
    ['no closing tag', ['<think>why', ' so'], ['reasoning: why so']],
    ['half a closing tag', ['<think>why</thin', 'ner'], ['reasoning: why</thinner']],
    ['half a closing tag at the end', ['<think>why</thin'], ['reasoning: why</thin']],
    ['an opening tag inside', ['<think>a<think>b</think>c'], ['reasoning: a<think>b', 'content: c']],
    ['only the first pair', ['<think>a</think>b<think>c</think>d'], ['reasoning: a', 'content: b<think>c</think>d']],
    ['no tag', ['what'], ['content: what']],
    ['no tag, white space', [' \n', ' what'], ['content:  \n what']],
    ['only white space', [' ', '\n'], ['content:  \n']],
    ['half an opening tag', ['<thi', 'ck>'], ['content: <thick>']],
    ['half an opening tag at the end', [' <thi'], ['content:  <thi']],
    ['a tag that is not at the beginning', ['so <think>why</think>'], ['content: so <think>why</think>']],
    ['a lone closing tag', ['why</think>what'], ['content: why</think>what']],
    ['another tag', ['<thinking>why</thinking>'], ['content: <thinking>why</thinking>']],
    ['in capitals', ['<THINK>why</THINK>'], ['content: <THINK>why</THINK>']],
  ])('%s', async (_, texts, parts) => {
    const outcome = await run([opening(), ...words(...texts), ending('length')])
    expect(told(outcome)).toEqual(parts)
    expectContract(outcome.chunks, HEAD, true)
  })
})

test.each([
  ['<thinking>why</think></thinking>what', ['reasoning: why</think>', 'content: what']],
  ['<think>why</think>', ['content: <think>why</think>']],
])('the tag may have another name: %s', async (text, parts) => {
  const outcome = await run([opening(), ...words(...text), ending()], undefined, 'thinking')
  expect(told(outcome)).toEqual(parts)
})

describe('frames', () => {
  test('that need no look are let through as they are', async () => {
    const frames = await readAll(...['no tag', ' here', ' at', ' all', '</think>'].map(content => ({ content })))
    expect(frames.filter(({ bytes }) => bytes !== undefined)).toHaveLength(4)
    const { batches } = await gather(withThinkTags(framesOf([frames]), HEAD))
    expect(batches).toEqual([frames])
    expect(batches[0]?.every((frame, at) => frame === frames[at])).toBe(true)
  })

  test('behind the closing tag are let through as they are, without a look', async () => {
    const stream = sse(
      ...['<think>', 'a', 'b', '</think>', '\n', 'one', ' two', ' three'].map(content => event({ content })),
      event({}, 'stop'),
    )
    const outcome = await gather(withThinkTags(readFrames(replyOf([stream]), HEAD), HEAD))
    expect(told(outcome)).toEqual(['reasoning: ab', 'content: one two three'])
    expect(outcome.frames.filter(({ bytes }) => bytes !== undefined)).toHaveLength(2)
    const blind: Frame = {
      bytes: Buffer.from('x'),
      get chunk(): never {
        throw new Error('looked at')
      },
    }
    const passed: Frame[] = []
    for await (const batch of withThinkTags(framesOf([[opening(), ...words('what')], [blind]]), HEAD))
      passed.push(...batch)
    expect(passed.at(-1)).toBe(blind)
  })

  test('the role goes out at once, and once', async () => {
    const { batches } = await run([opening(), ...words('<thi'), ...words('nk>x')])
    expect(batches[0]).toEqual([opening()])
    const outcome = await run([frameOf({ role: 'assistant', content: '<think>why' }), ending()])
    expectContract(outcome.chunks, HEAD, true)
    expect(told(outcome)).toEqual(['reasoning: why'])
  })

  const call: Delta = { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }
  test.each<[string, Delta]>([
    ['a tool call', call],
    ['a refusal', { refusal: 'no' }],
    ['reasoning of its own', { reasoning_content: 'hm' }],
  ])('what is held back goes out before %s', async (_, delta) => {
    const before = await run([opening(), ...words(' <th'), frameOf(delta), ...words('ink>')])
    expect(before.chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      opening().chunk.choices[0]?.delta,
      { content: ' <th' },
      delta,
      { content: 'ink>' },
    ])
    const inside = await run([opening(), ...words('<think>why</th'), frameOf(delta), ...words('ink>')])
    expect(inside.chunks.slice(1).map(({ choices }) => choices[0]?.delta)).toEqual([
      { reasoning_content: 'why' },
      { reasoning_content: '</th' },
      delta,
      { reasoning_content: 'ink>' },
    ])
  })

  test('a tag behind reasoning or a call that came first is still at the beginning of the content', async () => {
    expect(
      told(await run([opening(), frameOf({ reasoning_content: 'hm ' }), ...words('<think>why</think>', 'what')])),
    ).toEqual(['reasoning: hm why', 'content: what'])
  })

  test('a failure releases what was held back, and is told', async () => {
    const fault = new UpstreamError('upstream_truncated', 'cut')
    const before = await run([opening(), ...words('\n<th')], fault)
    expect([told(before), before.error]).toEqual([['content: \n<th'], fault])
    const inside = await run([opening(), ...words('<think>why</th')], fault)
    expect([told(inside), inside.error]).toEqual([['reasoning: why</th'], fault])
    const nothing = await run([opening()], fault)
    expect(nothing.batches).toEqual([[opening()]])
  })

  test('leaving closes the source', async () => {
    const source = framesOf(each([opening(), ...words('a', 'b')]))
    for await (const batch of withThinkTags(source, HEAD)) if (batch.length > 0) break
    expect(source.seen).toEqual({ batches: 1, closed: true })
  })

  test('choices do not mix', async () => {
    const { chunks } = await run([
      opening(0),
      opening(1),
      frameOf({ content: '<think>a' }),
      frameOf({ content: 'x' }, { index: 1 }),
      frameOf({ content: '</think>b' }),
      frameOf({ content: '<think>y' }, { index: 1 }),
    ])
    expect(chunks.slice(2).map(({ choices: [choice] }) => [choice?.index, choice?.delta])).toEqual([
      [0, { reasoning_content: 'a' }],
      [1, { content: 'x' }],
      [0, { content: 'b' }],
      [1, { content: '<think>y' }],
    ])
  })

  test('chunks without choices pass', async () => {
    const none: Frame = { chunk: { ...opening().chunk, choices: [] } }
    expect((await run([none, opening()])).frames).toEqual([none, opening()])
  })
})

test('however the text is cut, the same is told', async () => {
  const piece = fc.constantFrom('<think>', '</think>', '<', 'think', '>', '/', ' ', '\n', 'a', '🦔', '<think')
  const text = fc.array(piece, { maxLength: 10 }).map(parts => parts.join(''))
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 20 }), async (whole, places) => {
      const ends = [...new Set([...places.filter(place => place < whole.length), whole.length])].toSorted(
        (one, other) => one - other,
      )
      const pieces = ends.map((end, at) => whole.slice(at === 0 ? 0 : ends[at - 1], end)).filter(part => part !== '')
      const cut = await run([opening(), ...words(...pieces), ending('length')])
      expectContract(cut.chunks, HEAD, true)
      const once = await run([opening(), ...(whole === '' ? [] : words(whole)), ending('length')])
      expect(told(cut)).toEqual(told(once))
      expect(cut.batches.length).toBeLessThanOrEqual(pieces.length + 2)
      expect(cut.batches.every(batch => batch.length > 0)).toBe(true)
      const said = told(once)
        .map(part => part.replace(/^\w+: /, ''))
        .join('')
      const [, reasoning, content] = /^\s*<think>(.*?)(?:<\/think>\s*(.*))?$/su.exec(whole) ?? []
      expect(said).toBe(reasoning === undefined ? whole : reasoning + (content ?? ''))
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['<think>a < b and </the rest</think>what </think> is <think> left', 15],
  ['<thick>as <think>plain</think>', 0],
])('no more than a tag is held back: %s', async (text, tags) => {
  const told = { length: 0 }
  async function* source(): AsyncGenerator<readonly Frame[]> {
    yield [opening()]
    for (let at = 0; at < text.length; at++) {
      // What came before this piece and is not out yet is tags, told by their place, or may be the beginning of one.
      expect(at - told.length).toBeLessThanOrEqual(tags + '</think'.length)
      yield words(text[at]!)
    }
  }
  for await (const batch of withThinkTags(source(), HEAD)) {
    for (const { chunk } of batch) {
      const { content, reasoning_content: reasoning } = chunk.choices[0]!.delta
      told.length += (content ?? '').length + (reasoning ?? '').length
    }
  }
  expect(told.length).toBe(text.length - tags)
})
