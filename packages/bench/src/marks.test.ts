import { describe, expect, it } from 'vitest'
import type { Figure, Medians } from './figures.ts'
import { LOADS } from './loads.ts'
import { judge, MARKS } from './marks.ts'

/** Medians of what is in the table, by `load subject figure`. */
const mediansOf =
  (values: Readonly<Record<string, number>>): Medians =>
  (load, subject, figure) =>
    values[`${load} ${subject} ${figure}`]

const markOf = (id: string) => MARKS.find(mark => mark.id === id)!

describe('MARKS', () => {
  it.each([
    ['M1', { 'paced millrace cpuUs': 18, 'paced raw-pipe cpuUs': 30 }, 0.6],
    ['M3', { 'batch millrace cpuUs': 6, 'batch raw-pipe cpuUs': 3 }, 2],
    ['M4 p99', { 'paced millrace addedFirstP99Us': 600, 'paced raw-pipe addedFirstP99Us': 500 }, 1.2],
    ['M5', { 'paced millrace addedGapP99Us': 200, 'paced raw-pipe addedGapP99Us': 400 }, 0.5],
    ['M7 2,000', { 'open-2000 millrace perStreamKiB': 33 }, 33],
    ['M8', { 'wide millrace cpuUs': 22, 'paced millrace cpuUs': 20 }, 1.1],
    ['M9 2 MB', { 'prompts-2MB millrace cpuUs': 3000, 'prompts-2MB JSON cpuUs': 6000 }, 0.5],
    ['M10', { 'leave millrace closedMs': 48, 'leave direct closedMs': 20 }, 48],
    ['M11', { 'paced portkey cpuUs': 60, 'paced millrace cpuUs': 20 }, 3],
  ])('%s', (id, values, expected) => {
    expect(markOf(id).value(mediansOf(values))).toBeCloseTo(expected)
  })

  it('have no value where something was not measured, or the raw pipe adds nothing', () => {
    for (const mark of MARKS) expect(mark.value(mediansOf({}))).toBeUndefined()
    const values = { 'paced millrace addedGapP99Us': 200, 'paced raw-pipe addedGapP99Us': -3 }
    expect(markOf('M5').value(mediansOf(values))).toBeUndefined()
  })

  it('ask for loads and subjects that there are', () => {
    const asked = new Set<string>()
    const median = (load: string, subject: string, _figure: Figure): number => {
      asked.add(`${load} ${subject}`)
      return 1
    }
    for (const mark of MARKS) mark.value(median)
    const known = LOADS.flatMap(({ name, subjects }) => subjects.map(subject => `${name} ${subject}`))
    expect(known).toEqual(expect.arrayContaining([...asked]))
  })
})

describe('judge', () => {
  it.each([
    { value: 0.9, limit: 0.9, mark: { unit: '×' }, expected: 'met' },
    { value: 1.08, limit: 0.9, mark: { unit: '×' }, expected: 'missed by 0.18 (20 %)' },
    { value: 300, limit: 250, mark: { unit: 'ms' }, expected: 'missed by 50 ms (20 %)' },
    { value: 27.5, limit: 25, mark: { unit: 'KiB' }, expected: 'missed by 2.5 KiB (10 %)' },
    { value: 4, limit: 5, mark: { unit: '×', isFloor: true }, expected: 'missed by 1.00 (20 %)' },
    { value: 6, limit: 5, mark: { unit: '×', isFloor: true }, expected: 'met' },
  ] as const)('$value against $limit: $expected', ({ value, limit, mark, expected }) => {
    expect(judge(value, limit, mark)).toBe(expected)
  })
})
