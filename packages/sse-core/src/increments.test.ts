import { array, assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createIncrements, type UnreadText } from './increments.ts'

const LONG = 'x'.repeat(900) + 'y'.repeat(900)
const SIXTEEN = '0123456789abcdef'

function unread(text: string): UnreadText {
  const raw = JSON.stringify(text).slice(1, -1)
  return {
    textBytes: Buffer.byteLength(raw),
    textUnits: text.length,
    rawText: Buffer.from(raw).toString('latin1'),
  }
}

/** What comes out delta by delta, and at the end what was held. */
function textsOf(deltas: readonly string[], kind: 'text' | 'arguments' = 'text'): string[] {
  const increments = createIncrements(kind)
  return [...deltas.map(increments.push), increments.release()].filter(text => text !== '')
}

const TEXTS: Readonly<Record<string, readonly [deltas: readonly string[], expected: readonly string[]]>> = {
  'ordinary deltas': [
    ['The', ' quick', ' brown', ' fox'],
    ['The', ' quick', ' brown', ' fox'],
  ],
  'a cumulative stream with a rewind': [
    ['The quick', 'The quick brown', 'The quick brown fox', 'The quick brown', 'The quick brown fox.'],
    ['The quick', ' brown fox', '.'],
  ],
  'a repeat that is longer than what is repeated': [
    ['ha', 'haha', '!'],
    ['ha', 'haha!'],
  ],
  'a repeat at the end': [
    ['ha', 'haha'],
    ['ha', 'haha'],
  ],
  'repeats that look cumulative twice over': [
    ['\n', '\n\n', '\nA', '\nAB'],
    ['\n', '\n\n\nA', '\nAB'],
  ],
  'short repeats': [
    ['ha', 'ha', 'ha', '!'],
    ['ha', 'ha', 'ha', '!'],
  ],
  'sixteen units are enough to be sure': [
    [SIXTEEN, `${SIXTEEN}g`, `${SIXTEEN}gh`],
    [SIXTEEN, 'g', 'h'],
  ],
  'fifteen are not': [
    [SIXTEEN.slice(1), SIXTEEN.slice(1) + 'g', 'h'],
    [SIXTEEN.slice(1), `${SIXTEEN.slice(1)}gh`],
  ],
  'the whole text again': [
    ['x'.repeat(40), 'y'.repeat(24), 'x'.repeat(40) + 'y'.repeat(24), ' and on'],
    ['x'.repeat(40), 'y'.repeat(24), ' and on'],
  ],
  'the whole of a shorter text again': [
    ['x'.repeat(63), 'x'.repeat(63)],
    ['x'.repeat(63), 'x'.repeat(63)],
  ],
  'ordinary deltas behind cumulative ones': [
    ['A beginning of it', 'A beginning of it all', ' comes', ' to an end'],
    ['A beginning of it', ' all', ' comes', ' to an end'],
  ],
  'cumulative deltas behind a long ordinary text': [
    [LONG.slice(0, 800), LONG.slice(800), `${LONG}1`, `${LONG}12`, LONG, `${LONG}123`],
    [LONG.slice(0, 800), LONG.slice(800), '1', '2', '3'],
  ],
  'a long delta that begins like a long text': [
    [LONG, `${LONG.slice(0, 1000)}z${LONG}`],
    [LONG, `${LONG.slice(0, 1000)}z${LONG}`],
  ],
  'characters of two units': [
    ['🐉🐉🐉🐉🐉🐉🐉🐉', '🐉🐉🐉🐉🐉🐉🐉🐉 龍'],
    ['🐉🐉🐉🐉🐉🐉🐉🐉', ' 龍'],
  ],
}

test.for(Object.entries(TEXTS))('%s', ([, [deltas, expected]]) => {
  expect(textsOf(deltas)).toEqual(expected)
})

const ARGUMENTS: Readonly<Record<string, readonly [deltas: readonly string[], expected: readonly string[]]>> = {
  'pieces of arguments': [
    ['{"a', '": ', '"{"', '}'],
    ['{"a', '": ', '"{"', '}'],
  ],
  'cumulative arguments': [
    ['{"city":', '{"city":"Oslo', '{"city":"Oslo"}'],
    ['{"city":', '"Oslo', '"}'],
  ],
  'a short beginning proves nothing, and nothing is held': [
    ['{"a":', '{"a":1}', '}'],
    ['{"a":', '{"a":1}', '}'],
  ],
  'what is no object is left alone': [
    ['aaaaaaaaaa', 'aaaaaaaaaab'],
    ['aaaaaaaaaa', 'aaaaaaaaaab'],
  ],
}

test.for(Object.entries(ARGUMENTS))('%s', ([, [deltas, expected]]) => {
  expect(textsOf(deltas, 'arguments')).toEqual(expected)
})

describe('whatever the text', () => {
  const pieces = array(string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 3, maxLength: 40 })

  test('a cumulative stream comes out once', () => {
    assert(
      property(pieces, pieces => {
        const whole = 'A text that begins well: ' + pieces.join('')
        const ends = pieces.map((_, at) => whole.length - pieces.slice(at + 1).join('').length)
        const cumulative = ['A text that begins well: ', ...ends.map(end => whole.slice(0, end))]
        expect(textsOf(cumulative).join('')).toBe(whole)
      }),
    )
  })

  test('an ordinary stream whose deltas never begin with the text so far comes out as it is', () => {
    assert(
      property(pieces, pieces => {
        const deltas = ['\u2063', ...pieces]
        expect(textsOf(deltas)).toEqual(deltas)
      }),
    )
  })

  test('nothing depends on whether long texts are read', () => {
    const deltas = array(constantFrom('a', 'ab', '"\\\n', 'x'.repeat(300), 'ä🐉', LONG, `${LONG}!`), { maxLength: 40 })
    assert(
      property(deltas, deltas => {
        const [read, skipping] = [createIncrements('text'), createIncrements('text')]
        const skipped = deltas.map(text => (skipping.skip(unread(text)) ? text : skipping.push(text)))
        expect(skipped).toEqual(deltas.map(read.push))
      }),
    )
  })
})
