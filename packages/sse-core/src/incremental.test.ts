import { UpstreamError, type Delta } from '@millrace/core'
import { expect, test } from 'vitest'
import { withIncrements } from './incremental.ts'
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
  said,
  sse,
} from './testing/replay.ts'
import { readFrames } from './frames.ts'

const TEXT = 'A text of more than sixteen units'

const deltasOf = async (...deltas: readonly object[]): Promise<readonly Delta[]> =>
  said((await gather(withIncrements(framesOf([await readAll(...deltas)])))).chunks).deltas

const call = (text: string, index = 0): object => ({ tool_calls: [{ index, function: { arguments: text } }] })
const opens = (index: number): object => ({
  tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: 'f', arguments: '' } }],
})

test('each text is compared with itself alone', async () => {
  const deltas = await deltasOf(
    { reasoning_content: TEXT },
    { reasoning_content: `${TEXT}!` },
    { content: TEXT },
    { reasoning_content: TEXT, content: `${TEXT}?` },
    opens(0),
    call('{"city":'),
    call('{"city":"Oslo"}'),
    opens(1),
    call('{"city":', 1),
    call('"Rome"}', 1),
  )
  expect(deltas).toEqual([
    { reasoning_content: TEXT },
    { reasoning_content: '!' },
    { content: TEXT },
    { content: '?' },
    opens(0),
    call('{"city":'),
    call('"Oslo"}'),
    opens(1),
    call('{"city":', 1),
    call('"Rome"}', 1),
  ])
})

test('each choice is compared with itself alone', async () => {
  const frames = [
    opening(0),
    opening(1),
    ...[0, 1].map(index => frameOf({ content: TEXT }, { index })),
    frameOf({ content: `${TEXT}!` }, { index: 1 }),
    frameOf({ content: ' goes on' }, { index: 0 }),
    ending('stop', 0),
    ending('stop', 1),
  ]
  const { chunks } = await gather(withIncrements(framesOf([frames])))
  const textOf = (at: number): string =>
    chunks.map(({ choices: [choice] }) => (choice?.index === at ? (choice.delta.content ?? '') : '')).join('')
  expect([0, 1].map(textOf)).toEqual([`${TEXT} goes on`, `${TEXT}!`])
})

test('an ordinary stream goes through as it is, batch by batch and with its bytes', async () => {
  const words = Array.from({ length: 600 }, (_, at) => ({ content: ` word${at}` }))
  const frames = await readAll(...words, { content: `${'x'.repeat(3000)}` }, { content: ' end' })
  const batches = [frames.slice(0, 200), frames.slice(200)]
  expect((await gather(withIncrements(framesOf(batches)))).batches).toEqual(batches)
})

test('cut text has no bytes of the uncut', async () => {
  const frames = await readAll(...[1, 2, 3].map(length => ({ content: TEXT + '!'.repeat(length) })))
  const out = (await gather(withIncrements(framesOf([frames])))).frames
  expect(out.map(({ bytes, chunk }) => (bytes === undefined ? chunk : JSON.parse(bytes.toString().slice(6))))).toEqual(
    out.map(({ chunk }) => chunk),
  )
  expect(out.map(({ chunk }) => chunk.choices[0]?.delta.content)).toContain('!')
})

test.for<[string, object]>([
  ['reasoning', { reasoning_content: 'hm' }],
  ['a call', opens(0)],
])('what is held goes out before %s', async ([, behind]) => {
  const [name] = Object.keys(behind) as [string]
  const deltas = await deltasOf({ content: 'ha' }, { content: 'haha' }, behind, { content: 'hahaha!' })
  expect(deltas).toEqual([
    { content: 'ha' },
    { content: 'haha' },
    { [name]: expect.anything() },
    { content: 'hahaha!' },
  ])
})

test('what is dropped between two deltas does not part them', async () => {
  const deltas = await deltasOf(
    { reasoning_content: TEXT },
    { reasoning_content: `${TEXT}.` },
    { reasoning_content: `${TEXT}.`, content: 'A' },
    { reasoning_content: `${TEXT}.`, content: 'A b' },
    { reasoning_content: `${TEXT}.`, content: 'A b c' },
  )
  expect(deltas.map(({ content }) => content ?? '').join('')).toBe('A b c')
})

test('what is held goes out before a failure and before the end', async () => {
  const frames = [opening(), frameOf({ content: 'ha' }), frameOf({ content: 'haha' })]
  const fault = new UpstreamError('upstream_truncated', 'It stopped.')
  const failed = await gather(withIncrements(framesOf([frames], fault)))
  expect(failed).toMatchObject({ code: 'upstream_truncated' })
  const ended = await gather(withIncrements(framesOf([[...frames, ending('length')]])))
  for (const { chunks } of [failed, ended])
    expect(said(chunks).deltas.map(({ content }) => content)).toEqual(['ha', 'haha'])
})

test('one that wants no more gets no more', async () => {
  const source = framesOf([[opening(), frameOf({ content: 'ha' })], [frameOf({ content: 'haha' })]])
  for await (const _batch of withIncrements(source)) break
  expect(source.seen).toEqual({ batches: 1, closed: true })
})

test('cut text has no probabilities', async () => {
  const logprobs = { content: [{ token: 'x' }] }
  const frames = [TEXT, `${TEXT}!`].map(content => frameOf({ content }, { logprobs }))
  const { chunks } = await gather(withIncrements(framesOf([[opening(), ...frames]])))
  expect(chunks.map(({ choices: [choice] }) => choice?.logprobs)).toEqual([undefined, logprobs, undefined])
})

test('it makes no difference whether texts are recognised or parsed', async () => {
  const texts = [
    'ha',
    'haha',
    'hahaha and so on',
    'hahaha and so on for long',
    'and on',
    'é龍🐉',
    '"\\\n',
    'x'.repeat(2000),
  ]
  const events = [...texts, ...texts].map(content => event({ content }))
  const recognised = await gather(withIncrements(readFrames(replyOf([sse(...events)]), HEAD)))
  // A member that grows keeps the events from looking alike.
  const growing = events.map((one, at) => Object.assign(one, { grown: 'x'.repeat(at) }))
  const parsed = await gather(withIncrements(readFrames(replyOf([sse(...growing)]), HEAD)))
  expect(said(recognised.chunks)).toEqual(said(parsed.chunks))
})
