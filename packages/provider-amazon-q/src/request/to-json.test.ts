import { array, assert, asyncProperty, dictionary, integer, letrec, oneof, string, constantFrom } from 'fast-check'
import { expect, test } from 'vitest'
import { toJson } from './to-json.ts'

const noPause = (): undefined => undefined
const { value } = letrec(tie => ({
  value: oneof(
    { maxDepth: 4 },
    constantFrom(null, true, 'x'.repeat(70_000), `"\n${'😀'.repeat(40_000)}`, '\ud83d'),
    integer(),
    string({ unit: 'binary' }),
    array(tie('value')),
    dictionary(string(), oneof(tie('value'), constantFrom(undefined))),
  ),
}))

test('in pieces or at once, the JSON says the same', async () => {
  await assert(
    asyncProperty(value, async value => {
      const json = (await toJson(value, noPause)).toString()
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 100 },
  )
})

test.for<[what: string, value: unknown]>([
  ['many small items', Array.from({ length: 20_000 }, (_, at) => ({ at }))],
  ['a large item between small ones', [1, 'x'.repeat(100_000), 2, [3, 'y'.repeat(100_000)], 4]],
  ['large items only', ['x'.repeat(100_000), 'x'.repeat(100_000)]],
  ['empty ones and undefined next to large ones', { a: [], b: {}, c: undefined, d: 'x'.repeat(100_000), e: '' }],
])('%s, byte for byte', async ([, value]) => {
  expect((await toJson(value, noPause)).toString()).toBe(JSON.stringify(value))
})

test('a long text is made in pieces', async () => {
  let pauses = 0
  await toJson({ text: 'x'.repeat(10_000_000) }, () => void pauses++)
  expect(pauses).toBeGreaterThan(100)
})
