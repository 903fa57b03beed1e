import { describe, expect, it } from 'vitest'
import { median, percentiles } from './percentiles.ts'

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => last - index)

describe('percentiles', () => {
  it.each([
    { values: upTo(100), shares: [0.5, 0.99, 1], expected: [50, 99, 100] },
    { values: upTo(3), shares: [0.01, 0.5, 0.99], expected: [1, 2, 3] },
    { values: [7], shares: [0.5, 0.99], expected: [7, 7] },
    { values: [], shares: [0.5], expected: [undefined] },
  ])('of $values.length values', ({ values, shares, expected }) => {
    expect(percentiles(values, shares)).toEqual(expected)
  })
})

describe('median', () => {
  it.each([
    { values: [10, 9, 1], expected: 9 },
    { values: [10, 2, 4, 1], expected: 3 },
    { values: [], expected: undefined },
  ])('of $values', ({ values, expected }) => {
    expect(median(values)).toBe(expected)
  })
})
