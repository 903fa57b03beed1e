import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { toSafeText } from './safe-text.ts'

const token = `eyJ${'a1'.repeat(8)}.${'b2'.repeat(8)}.${'c3'.repeat(8)}`

test.each([
  ['plain words stay', 'The model is loading, 3 < 4 & "so on".', 'The model is loading, 3 < 4 & "so on".'],
  ['white space and lines become one line', ' one\r\n\ttwo \u2028 three ', 'one two three'],
  ['terminal escapes', '\u001b[31mred\u001b[0m', '[31mred [0m'],
  ['text that turns direction', 'abc\u202edef\u2066ghi', 'abc def ghi'],
  ['markup', '<html><head><title>502</title></head><body>Bad gateway</body>', '502 Bad gateway'],
  ['markup in capitals, comments, instructions', '<!-- x --><?xml version="1.0"?><B>no</B>', 'no'],
  ['markup inside markup', '<<b>script>alert(1)</script>', '< script>alert(1)'],
  ['markup that does not end', 'see <img src=x onerror=alert(1)', 'see < img src=x onerror=alert(1)'],
  ['a key', 'Incorrect API key provided: sk-test-0123456789abcdef.', 'Incorrect API key provided: [masked].'],
  ['several keys', 'gsk_0123456789abcdef or xai-0123456789abcdef', '[masked] or [masked]'],
  ['a short word that only looks like one', 'sk-1 is no key', 'sk-1 is no key'],
  ['what follows Bearer', 'got "authorization: Bearer abc.def+/=" from you', 'got "authorization: [masked]" from you'],
  ['a signed token', `expired: ${token}`, 'expired: [masked]'],
  ['a token behind another word', `token-${token}`, 'token-[masked]'],
  ['user and password of a URL', 'at https://user:pa@ss@host.example/v1', 'at https://host.example/v1'],
  ['the query of a URL', 'GET https://host.example/v1?key=abc failed', 'GET https://host.example/v1 failed'],
  [
    'an @ that is no password',
    'https://host.example/@team mail a@b.example',
    'https://host.example/@team mail a@b.example',
  ],
  ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
  ['nothing readable', '<br><br>\n\u0000', ''],
])('%s', (_, text, safe) => {
  expect(toSafeText(text)).toBe(safe)
})

test.each([
  ['ASCII', 'x', 2045],
  ['two bytes each', 'é', 1022],
  ['four bytes each', '😀', 511],
])('at most 2 KiB, cut between characters: %s', (_, character, whole) => {
  const safe = toSafeText(character.repeat(3000))
  expect(safe).toBe(`${character.repeat(whole)}…`)
  expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(2048)
})

test('whatever comes, what goes out is short, of one line, well-formed and without markup', () => {
  const hostile = ['<', '>', '<a', '</', '\n', '\u009b', 'sk-', 'eyJ', 'http://', '@', '?', '.', '\ud800', ' ']
  const piece = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary', maxLength: 40 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
      const safe = toSafeText(pieces.join(''))
      expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(2048)
      expect(safe.isWellFormed()).toBe(true)
      expect(safe).not.toMatch(/\p{Cc}|[\u2028\u2029]|<[a-z!/?]/iu)
    }),
    { numRuns: 300 },
  )
})

test.each([['eyJ-'], ['-eyJ'], ['http://'], ['<a'], ['Bearer '], ['key-'], ['a://'], ['sk-sk_']])(
  'hostile text of many %s costs little time',
  piece => {
    const text = piece.repeat(8192 / piece.length)
    toSafeText(text)
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now()
      toSafeText(text)
      return performance.now() - start
    })
    expect(Math.min(...times)).toBeLessThan(10)
  },
)
