import { expect, test } from 'vitest'
import { createSticky } from './sticky.ts'

test('knows what a key was last given', () => {
  const sticky = createSticky<number>()
  expect(sticky.get('a')).toBeUndefined()
  sticky.set('a', 1)
  sticky.set('b', 2)
  sticky.set('a', 3)
  expect([sticky.get('a'), sticky.get('b')]).toEqual([3, 2])
})

test('forgets the keys that were not used for longest', () => {
  const sticky = createSticky<number>(3)
  for (const key of ['a', 'b', 'c', 'a', 'd']) sticky.set(key, 1)
  expect(['a', 'b', 'c', 'd'].filter(key => sticky.get(key) !== undefined)).toEqual(['a', 'c', 'd'])
  for (let count = 0; count < 1000; count++) sticky.set(`key ${count}`, 1)
  expect(sticky.size).toBe(3)
})

test('tells long keys apart', () => {
  const sticky = createSticky<number>()
  const long = 'x'.repeat(100_000)
  sticky.set(`${long}1`, 1)
  sticky.set(`${long}2`, 2)
  expect([sticky.get(`${long}1`), sticky.get(`${long}2`), sticky.get(long)]).toEqual([1, 2, undefined])
})
