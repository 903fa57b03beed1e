import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFrame } from './encode.ts'
import { readFrames } from './frames.ts'
import { TextFrame } from './template.ts'
import { gather, HEAD, HEAD_WITH_USAGE, replyOf, said, sse, type Outcome } from './testing/replay.ts'
import type { ChunkHead } from '@millrace/core'

/** The inside of a JSON string, byte by byte as an upstream may write it; the last ones are not valid. */
const VALID = [
  'a',
  ' ',
  '<',
  "'",
  'é',
  '龍',
  '🦔',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\uFEFF',
  'data: ',
  '[DONE]',
]
const ESCAPED = [
  '\\n',
  '\\"',
  '\\\\',
  '\\/',
  '\\t',
  '\\u00e9',
  '\\ud83e\\udd94',
  '\\ud83d',
  '\\u2028',
  '\\u0000',
  '\\"}]}',
]
const INVALID = ['\xff', '\xc3', '\xed\xa0\x80', '\xe2\x80', '\xf0\x9f\xa6'].map(text => Buffer.from(text, 'latin1'))
const BROKEN = ['"', '\\', '\\x', '\\u12', '\u0001', '\t']

const piece = (texts: readonly (string | Buffer)[]): fc.Arbitrary<Buffer> =>
  fc
    .array(fc.constantFrom(...texts), { maxLength: 5 })
    .map(parts => Buffer.concat(parts.map(part => Buffer.from(part))))
const anyText = fc.oneof(
  { weight: 8, arbitrary: piece([...VALID, ...ESCAPED]) },
  { weight: 3, arbitrary: piece([...VALID, ...INVALID]) },
  { weight: 1, arbitrary: piece([...VALID, ...BROKEN]) },
)

/** Where a text stands in an event, with the rest of the event around it. */
const PLACES: readonly (readonly [string, string, string])[] = [
  ['content', '{"choices":[{"index":0,"delta":{"content":"', '"},"finish_reason":null}],"usage":null'],
  ['reasoning', '{"choices":[{"delta":{"content":null,"reasoning":"', '"},"logprobs":null,"finish_reason":null}]'],
  ['arguments', '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"', '"}}]}}]'],
  ['content of a message', '{"x":"\\"content\\":\\"","choices":[{"message":{"content":"', '","role":"assistant"}}]'],
]

const OPENING = '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f"}}]}}]}'

/** The stream of these texts; where `varied`, no two of its events are alike around their text. */
function streamOf([, before, after]: (typeof PLACES)[number], texts: readonly Buffer[], varied: boolean): Buffer {
  const opening = before.includes('tool_calls') ? OPENING : '{}'
  const events = texts.map((text, at) =>
    Buffer.concat([Buffer.from(before), text, Buffer.from(`${after}${varied ? `,"n":${at}` : ''}}`)]),
  )
  return Buffer.concat(
    [Buffer.from(opening), ...events, Buffer.from('[DONE]')].flatMap(event => [
      Buffer.from('data: '),
      event,
      Buffer.from('\n\n'),
    ]),
  )
}

const read = (stream: Buffer, head: ChunkHead = HEAD): Promise<Outcome> => gather(readFrames(replyOf([stream]), head))

function expectBytes({ frames }: Outcome): void {
  for (const frame of frames) {
    const encoded = encodeFrame(frame).toString()
    expect(Buffer.from(encoded)).toEqual(encodeFrame(frame))
    expect(encoded).toMatch(/^data: .*\n\n$/)
    expect(encoded).not.toMatch(/[\u0085\u2028\u2029]/)
    expect(JSON.parse(encoded.slice('data: '.length))).toEqual(frame.chunk)
  }
}

describe.each(PLACES)('text in %s', (...place) => {
  test('is the same whether or not the events look alike', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyText, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(HEAD, HEAD_WITH_USAGE),
        async (texts, head) => {
          const alike = await read(streamOf(place, texts, false), head)
          const varied = await read(streamOf(place, texts, true), head)
          expect(varied.frames.every(({ bytes }) => bytes === undefined)).toBe(true)
          expect(alike.chunks).toEqual(varied.chunks)
          expect(alike.code).toBe(varied.code)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('is forwarded in bytes that say what the chunk says', async () => {
    const texts = ['one ', 'two', ' thrée \\"\\\\', '\\n🦔', 'data: [DONE]'].map(text => Buffer.from(text))
    const outcome = await read(streamOf(place, texts, false), HEAD_WITH_USAGE)
    expect(outcome.code).toBeUndefined()
    expect(outcome.frames.filter(({ bytes }) => bytes !== undefined)).toHaveLength(texts.length - 1)
    expectBytes(outcome)
    const unread = outcome.frames.filter(frame => frame instanceof TextFrame)
    expect(unread.map(({ rawBytes }) => rawBytes.toString())).toEqual(texts.slice(1).map(String))
    expect(unread.map(({ rawText }) => rawText)).toEqual(texts.slice(1).map(text => text.toString('latin1')))
  })

  test('is never forwarded where line readers or JSON parsers would stumble', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece([...VALID, ...ESCAPED, ...INVALID]), { maxLength: 12 }), async texts => {
        const outcome = await read(streamOf(place, texts, false))
        expect(outcome.code).toBeUndefined()
        expectBytes(outcome)
      }),
      { numRuns: 100 },
    )
  })
})

/** How many of the frames of a stream with these events came as bytes. */
async function countBytes(...events: readonly object[]): Promise<number> {
  const stream = [...events.map(event => JSON.stringify(event)), '[DONE]'].map(event => `data: ${event}\n\n`).join('')
  const outcome = await read(Buffer.from(stream))
  expect(outcome.code).toBeUndefined()
  expectBytes(outcome)
  return outcome.frames.filter(({ bytes }) => bytes !== undefined).length
}
const choice = (delta: object, more: object = {}): object => ({ choices: [{ index: 0, delta, ...more }] })
const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']

describe('what is learned', () => {
  test('nothing from an event that says more than its text', async () => {
    expect(await countBytes(...words.map(content => choice({ content, reasoning: content })))).toBe(0)
    expect(await countBytes(...words.map(content => choice({ content }, { logprobs: { content: [] } })))).toBe(0)
    expect(
      await countBytes(
        ...words.map(content => ({ ...choice({ content }), usage: { prompt_tokens: 1, completion_tokens: 1 } })),
      ),
    ).toBe(0)
    expect(await countBytes(...words.map(content => choice({ content }, { finish_reason: 'stop' })))).toBe(0)
    expect(await countBytes(...words.map(content => ({ ...choice({ content }), text: content })))).toBe(0)
    expect(
      await countBytes(...words.map(content => ({ choices: [0, 1].map(index => ({ index, delta: { content } })) }))),
    ).toBe(0)
  })

  test('the text may also be a name, a number, or empty', async () => {
    expect(await countBytes(...words.map(content => choice({ content })))).toBe(words.length - 1)
    const odd = ['content', '0', '', 'null', '{"content":"', '', 'delta', '"', 'index']
    expect(await countBytes(...odd.map(content => choice({ content })))).toBeGreaterThan(0)
  })

  test('a text that is also a name is no text to learn from', async () => {
    const stream = Buffer.from(sse(choice({ content: 'content' }), choice({ refusal: 'content' })))
    const { chunks } = await read(stream)
    expect(said(chunks).deltas).toEqual([{ content: 'content' }, { refusal: 'content' }])
  })

  test('it is learned anew where the events change', async () => {
    const events = [
      ...words.map(reasoning => choice({ reasoning })),
      ...words.map(content => choice({ content })),
      ...words.map(content => ({ choices: [{ index: 1, delta: { content } }] })),
    ]
    expect(await countBytes(...events)).toBe(3 * (words.length - 1))
  })

  test('learning is given up where it is in vain', async () => {
    const vain = words.map((content, at) => ({ ...choice({ content }), created: at }))
    expect(await countBytes(...vain, ...words.map(content => choice({ content })))).toBe(0)
    const useful = [...words.map(content => choice({ content })), ...vain.slice(0, 3)]
    expect(await countBytes(...useful, ...useful)).toBeGreaterThan(2 * (words.length - 2))
  })

  test('a piece of arguments that repeats its name is looked at each time', async () => {
    const events = ['{"a"', ':1}', '{"b"', ':2}', '{}'].map(text =>
      choice({ tool_calls: [{ index: 0, function: { name: 'f', arguments: text } }] }),
    )
    const stream = Buffer.from(
      [...events.map(event => JSON.stringify(event)), '[DONE]'].map(event => `data: ${event}\n\n`).join(''),
    )
    const { chunks, frames } = await read(stream)
    expect(frames.every(({ bytes }) => bytes === undefined)).toBe(true)
    const calls = chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []))
    expect(calls.filter(({ id }) => id !== undefined)).toHaveLength(3)
  })
})
