import { expect, test } from 'vitest'
import { parseDuration, parseSize } from './quantities.ts'

test.each([
  ['0', 0],
  ['0s', 0],
  ['250ms', 250],
  ['5s', 5000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['', NaN],
  ['5', NaN],
  ['5 s', NaN],
  ['1.5s', NaN],
  ['-5s', NaN],
  ['5S', NaN],
  ['1d', NaN],
  ['1h30m', NaN],
  ['9999999999s', NaN],
])('the duration %j is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

test.each([
  ['512B', 512],
  ['64KiB', 65_536],
  ['10MiB', 10_485_760],
  ['10', NaN],
  ['10MB', NaN],
  ['10mib', NaN],
  ['1.5MiB', NaN],
  ['10 MiB', NaN],
])('the size %j is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})
