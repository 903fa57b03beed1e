import { describe, expect, test } from 'vitest'
import { createCustomInput } from './custom-input.ts'

/** What each piece gives, and the end. */
function read(pieces: readonly string[]): { said: string[]; whole: boolean } {
  const input = createCustomInput()
  const said = pieces.map(piece => input.push(piece))
  return { whole: input.isWhole(), said: [...said, input.end()] }
}

const TEXT = 'a "b" \\ c\n\t龙👩‍🚀 \\ud83d {"input":"x"}'

describe('the input', () => {
  test('comes as it is said', () => {
    expect(read(['{"inp', 'ut": "a', 'b\\', 'nc"', '}'])).toEqual({
      said: ['', 'a', 'b', '\nc', '', ''],
      whole: true,
    })
  })

  test.each([
    ['plain', JSON.stringify({ input: TEXT })],
    [
      'all escaped',
      `{"input":"${[...TEXT]
        .flatMap(c => c.split(''))
        .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('')}"}`,
    ],
  ])('is the same however it is cut: %s', (_, json) => {
    for (let size = 1; size <= json.length; size++) {
      const pieces = json.match(new RegExp(`[^]{1,${size}}`, 'g'))!
      const { said, whole } = read(pieces)
      expect([said.join(''), whole]).toEqual([TEXT, true])
      // Half of a character is nothing that a client could show.
      for (const piece of said) expect(piece.isWellFormed()).toBe(true)
    }
  })

  test.each([
    ['bare line ends', '{"input":"a\nb"}', 'a\nb'],
    ['backslashes that escape nothing', '{"input":"\\d\\u12"}', '\\d\\u12'],
    ['what follows it', '{"input":"a","more":"b"}', 'a'],
    ['another name', '{"patch":"a"}', 'a'],
    ['two texts', '{"x":"a","y":"b"}', '{"x":"a","y":"b"}'],
    ['a bare text', '"a"', 'a'],
    ['no JSON', 'a b', 'a b'],
    ['nothing', '', ''],
    ['half of it', '{"input":"ab', 'ab'],
  ])('is found in spite of %s', (_, json, input) => {
    expect(read([json]).said.join('')).toBe(input)
  })

  test('of a megabyte in small pieces takes no long time', () => {
    const json = JSON.stringify({ input: 'x\n'.repeat(500_000) })
    const begun = process.cpuUsage()
    expect(read(json.match(/[^]{1,64}/g)!).said.join('')).toHaveLength(1_000_000)
    expect(process.cpuUsage(begun).user).toBeLessThan(2_000_000)
  })
})
