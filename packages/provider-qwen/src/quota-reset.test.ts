import { expect, test } from 'vitest'
import { retryTimeOf } from './quota-reset.ts'

const at = (text: string): number => Date.parse(text)

/** A Wednesday. */
const NOON = '2026-05-20T12:00:00Z'

test.for<[words: string, now: string, expected: string]>([
  ['Free allocated quota exceeded.', NOON, '2026-05-20T12:30:00Z'],
  ['Free allocated quota exceeded.', '2026-05-20T23:45:00Z', '2026-05-21T00:00:00Z'],
  ['Free allocated quota exceeded.', '2026-05-20T15:50:00Z', '2026-05-20T16:00:00Z'],
  ['hour allocated quota exceeded', '2026-05-20T23:45:00Z', '2026-05-21T00:15:00Z'],
  ['week allocated quota exceeded', NOON, '2026-05-20T12:30:00Z'],
  ['week allocated quota exceeded', '2026-05-24T15:59:00Z', '2026-05-24T16:00:00Z'],
  ['week allocated quota exceeded', '2026-05-24T16:00:00Z', '2026-05-24T16:30:00Z'],
  ['month allocated quota exceeded', '2026-05-31T15:45:00Z', '2026-05-31T16:00:00Z'],
  ['month allocated quota exceeded', '2026-12-31T15:45:00Z', '2026-12-31T16:00:00Z'],
  ['It will reset at 2026-05-23 08:00:00 +0800 CST.', NOON, '2026-05-23T00:00:00Z'],
  ['resets on 2026-05-23T08:00:00Z', NOON, '2026-05-23T08:00:00Z'],
  ['reset time: 2026-05-23 08:00', NOON, '2026-05-23T00:00:00Z'],
  ['It was reset at 2026-05-19 08:00:00', NOON, '2026-05-20T12:30:00Z'],
  ['It will reset at 2026-99-99 08:00:00', NOON, '2026-05-20T12:30:00Z'],
])('%s at %s is tried at %s', ([words, now, expected]) => {
  expect(new Date(retryTimeOf(words, at(now))).toISOString()).toBe(new Date(expected).toISOString())
})
