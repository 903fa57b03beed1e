import { UpstreamError, type Frame } from '@millrace/core'
import { expect, test } from 'vitest'
import { withoutOrphanTag } from './orphan-tag.ts'
import { ending, frameOf, framesOf, gather, opening, readAll, textOf } from './testing/replay.ts'

const CALL = frameOf({
  tool_calls: [{ index: 0, id: 'call_0', type: 'function', function: { name: 'f', arguments: '' } }],
})

const words = (...texts: readonly string[]): Frame[] => texts.map(content => frameOf({ content }))
const left = async (...frames: readonly Frame[]): Promise<string> =>
  textOf((await gather(withoutOrphanTag(framesOf(frames.map(frame => [frame]))))).chunks)

test.for<[name: string, texts: readonly string[], expected: string]>([
  ['a tag at the end', ['what</think>'], 'what'],
  ['a tag alone', ['what', '</think>'], 'what'],
  ['a tag in pieces', ['what', '\n<', '/thi', 'nk', '>'], 'what\n'],
  ['white space behind it', ['what</think>', '\n', ' \n'], 'what'],
  ['nothing but a tag', ['</think>'], ''],
  ['the last of two tags', ['a</think>b</think>'], 'a</think>b'],
  ['a tag in the middle', ['a</think>', ' b'], 'a</think> b'],
  ['half a tag', ['what</thi'], 'what</thi'],
  ['another tag', ['what</thin', 'g>'], 'what</thing>'],
  ['a tag that was opened', ['<think>why</think>'], '<think>why</think>'],
  ['a tag that was opened in pieces', ['a <', 'think', '> b', '</think>'], 'a <think> b</think>'],
  ['signs that are no tags', ['1 < 2', ' <', '< 3', ' <b>'], '1 < 2 << 3 <b>'],
])('%s', async ([, texts, expected]) => {
  expect(await left(opening(), ...words(...texts), ending())).toBe(expected)
  const frames = await readAll(...texts.map(content => ({ content })))
  expect(await left(...frames)).toBe(expected)
})

test('content ends where tools are called', async () => {
  const { chunks } = await gather(
    withoutOrphanTag(framesOf([[opening(), ...words('what', '</think>'), CALL, ending('tool_calls')]])),
  )
  expect(chunks.map(({ choices: [choice] }) => Object.keys(choice!.delta))).toEqual([
    ['role', 'content'],
    ['content'],
    ['tool_calls'],
    [],
  ])
})

test('behind reasoning a tag may belong to it', async () => {
  expect(await left(opening(), ...words('</think>'), frameOf({ reasoning_content: 'hm' }), ending())).toBe('</think>')
})

test('what is held goes out before a failure', async () => {
  const fault = new UpstreamError('upstream_truncated', 'It stopped.')
  const { chunks } = await gather(withoutOrphanTag(framesOf([[opening(), ...words('what', '</think>')]], fault)))
  expect(textOf(chunks)).toBe('what</think>')
})

test('content without a tag keeps its bytes', async () => {
  const frames = await readAll({ content: 'a' }, { content: 'b < c' }, { content: 'd' }, { content: 'e' })
  expect((await gather(withoutOrphanTag(framesOf([frames])))).frames).toEqual(frames)
})
