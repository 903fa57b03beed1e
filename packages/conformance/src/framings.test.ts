import { createSplitter } from '@millrace/sse-core'
import { expect, test } from 'vitest'
import { cutAtAll, cutEvery } from './cuts.ts'
import { FRAMINGS } from './framings.ts'

const STREAM = Buffer.concat([
  Buffer.from(
    'data: {"a":"é\u2028 \\ud83c \\u00e9","b":[1,{}]}\n\nevent: error\n: note\ndata: {"c":2}\n\ndata: not JSON ',
  ),
  Buffer.from([0xff]),
  Buffer.from('\n\ndata: [DONE]\n\n'),
])

function eventsOf(bytes: Buffer): unknown[] {
  const events: unknown[] = []
  createSplitter().push(bytes, ({ data, type }) => {
    const text = data.toString('latin1')
    if (text !== '') events.push([type, text.startsWith('{') ? JSON.parse(data.toString()) : text])
  })
  return events
}

test.for(Object.entries(FRAMINGS))('%s: the same events in other bytes', ([name, framing]) => {
  const framed = framing(STREAM)
  expect(eventsOf(framed)).toEqual(eventsOf(STREAM))
  expect(framed.equals(STREAM)).toBe(name === 'LF')
})

test('from one framing to the other', () => {
  const crlf = FRAMINGS['CRLF']!(STREAM)
  expect(FRAMINGS['LF']!(crlf).equals(STREAM)).toBe(true)
  expect(eventsOf(STREAM)).toHaveLength(4)
})

test('cuts lose nothing', () => {
  const bytes = Buffer.from('abcdefg')
  expect(cutEvery(bytes, 3).map(String)).toEqual(['abc', 'def', 'g'])
  expect(cutAtAll(bytes, [5, 0, 5, 7]).map(String)).toEqual(['', 'abcde', '', 'fg', ''])
  expect(cutAtAll(bytes, []).map(String)).toEqual(['abcdefg'])
})
