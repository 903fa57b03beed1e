import type { Delta } from '@millrace/core'
import { expect, test } from 'vitest'
import { withWholeArguments } from './whole-arguments.ts'
import { framesOf, gather, readAll, said, frameOf, ending } from './testing/replay.ts'

const opens = (index: number, text = ''): object => ({
  tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: 'f', arguments: text } }],
})
const piece = (text: string, index = 0): Delta => ({ tool_calls: [{ index, function: { arguments: text } }] })

test.for<[name: string, deltas: readonly object[], finish: string]>([
  ['whole arguments', [opens(0), piece('{"a"'), piece(':[1'), piece(']'), piece('}')], 'tool_calls'],
  ['no arguments', [opens(0)], 'tool_calls'],
  ['arguments that stop in a text', [opens(0), piece('{"a": "half of a sen')], 'length'],
  ['arguments that stop in many pieces', [opens(0), ...Array.from('{"a":1', text => piece(text))], 'length'],
  ['one call of two that stops', [opens(0), opens(1, '{}'), piece('{"a":'), piece('{"b":', 1)], 'length'],
  ['the other call of two that stops', [opens(0), piece('{}'), opens(1), piece('{"b":', 1)], 'length'],
  ['no call', [{ content: '{"a":' }], 'stop'],
])('%s', async ([, deltas, finish]) => {
  const { chunks } = await gather(withWholeArguments(framesOf([await readAll(...deltas)])))
  expect(said(chunks).finish).toBe(finish)
})

test('a reason that says it already stays', async () => {
  const frames = [frameOf({ role: 'assistant', content: '' }), frameOf(piece('{"a":')), ending('length')]
  expect((await gather(withWholeArguments(framesOf([frames])))).frames).toEqual(frames)
})
