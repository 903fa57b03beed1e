import { expect, test } from 'vitest'
import { estimateUsage, toUsage } from './usage.ts'

test('cached tokens are part of the prompt', () => {
  const counts = { uncachedInputTokens: 410, cacheReadInputTokens: 1024, outputTokens: 23, totalTokens: 1457 }
  expect(toUsage(counts)).toEqual({
    prompt_tokens: 1434,
    completion_tokens: 23,
    total_tokens: 1457,
    prompt_tokens_details: { cached_tokens: 1024 },
  })
})

test.each([2 ** 53, Number.MAX_SAFE_INTEGER, Infinity, NaN, '7', null])('%s is no count', value => {
  expect(toUsage({ uncachedInputTokens: value, outputTokens: value, totalTokens: value })).toBeUndefined()
  expect(toUsage({ uncachedInputTokens: value, outputTokens: 7 })).toMatchObject({
    prompt_tokens: 0,
    completion_tokens: 7,
    total_tokens: 7,
  })
})

test('a negative count counts as 0', () => {
  expect(toUsage({ uncachedInputTokens: -5, outputTokens: 7, totalTokens: -2 })).toMatchObject({
    prompt_tokens: 0,
    total_tokens: 7,
  })
})

test('the share of the window is the total, unless it tells of no prompt', () => {
  const answer = { model: 'claude-sonnet-4.5', textBytes: 400 }
  expect(estimateUsage({ ...answer, contextPercentage: 2.5 })).toEqual({
    prompt_tokens: 4900,
    completion_tokens: 100,
    total_tokens: 5000,
  })
  expect(estimateUsage({ ...answer, contextPercentage: 0.05 })).toBeUndefined()
  expect(estimateUsage({ ...answer, contextPercentage: undefined })).toBeUndefined()
  expect(estimateUsage({ ...answer, contextPercentage: 2.5, model: 'auto' })).toBeUndefined()
})
