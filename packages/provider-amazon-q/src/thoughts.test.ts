import { array, assert, constantFrom, nat, property } from 'fast-check'
import { expect, test } from 'vitest'
import { createThoughts, type Piece } from './thoughts.ts'

/** What becomes of a text that comes in these pieces. */
function split(...texts: readonly string[]): { readonly thoughts: string; readonly content: string } {
  const thoughts = createThoughts()
  const pieces = [...texts.flatMap(text => thoughts.push(text)), ...thoughts.release()]
  const join = (channel: Piece['channel']): string =>
    pieces.flatMap(piece => (piece.channel === channel ? piece.text : [])).join('')
  expect(pieces.filter(({ text }) => text === '')).toEqual([])
  return { thoughts: join('reasoning_content'), content: join('content') }
}

test.each([
  ['Plain.', '', 'Plain.'],
  ['<thinking>Hm.</thinking>\n\nYes.', 'Hm.', 'Yes.'],
  ['\n <thinking>Hm.</thinking>Yes.', 'Hm.', 'Yes.'],
  ['<thinking>Hm.</thinking>\n\n', 'Hm.', ''],
  ['<thinking>Hm.', 'Hm.', ''],
  ['<thinking>Hm.</thin', 'Hm.</thin', ''],
  ['<thinking></thinking>Yes.', '', 'Yes.'],
  ['<thin', '', '<thin'],
  ['<thinner> is no tag', '', '<thinner> is no tag'],
  ['`<thinking>` is a tag', '', '`<thinking>` is a tag'],
  ['<thinking>a</thinking>b<thinking>c</thinking>', 'a', 'b<thinking>c</thinking>'],
  ['  spaced', '', '  spaced'],
])('%j has the thoughts %j', (text, thoughts, content) => {
  expect(split(text)).toEqual({ thoughts, content })
  expect(split(...text)).toEqual({ thoughts, content })
})

test('any text is the same however it is cut', () => {
  const texts = array(constantFrom('<thinking>', '</thinking>', '<', 'think', 'ing>', '/', ' ', '\n', 'word'), {
    maxLength: 12,
  })
  const isSame = property(texts, array(nat(), { maxLength: 5 }), (parts, positions) => {
    const text = parts.join('')
    const cuts = positions.map(position => position % (text.length + 1)).toSorted((one, other) => one - other)
    const pieces = [...cuts, text.length].map((end, at) => text.slice(cuts[at - 1] ?? 0, end))
    expect(split(...pieces)).toEqual(split(text))
  })
  assert(isSame, { numRuns: 300 })
})
