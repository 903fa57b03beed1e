import { expect, test } from 'vitest'
import { contextWindowOf, toModelId } from './models.ts'

test.each([
  ['claude-sonnet-4.5', 'claude-sonnet-4.5'],
  ['claude-sonnet-4-5', 'claude-sonnet-4.5'],
  ['claude-sonnet-4-5-20250929', 'claude-sonnet-4.5'],
  ['claude-sonnet-4-20250514', 'claude-sonnet-4'],
  ['claude-opus-4-5', 'claude-opus-4.5'],
  ['claude-sonnet-4-5-1m', 'claude-sonnet-4.5-1m'],
  ['claude-3-7-sonnet', 'claude-3.7-sonnet'],
  ['claude-3-7-sonnet-20250219', 'claude-3.7-sonnet'],
  ['claude-sonnet-3-7', 'claude-3.7-sonnet'],
  ['claude-4-sonnet', 'claude-sonnet-4'],
  ['claude-4-5-haiku', 'claude-haiku-4.5'],
  ['CLAUDE_3_7_SONNET_20250219_V1_0', 'CLAUDE_3_7_SONNET_20250219_V1_0'],
  ['gpt-5.6-sol', 'gpt-5.6-sol'],
  ['qwen3-coder-next', 'qwen3-coder-next'],
  ['auto', 'auto'],
  ['', undefined],
])('%s goes out as %s', (model, id) => {
  expect(toModelId(model)).toBe(id)
})

test.each([
  ['claude-sonnet-4', 200_000],
  ['claude-sonnet-4.5', 200_000],
  ['claude-sonnet-4.5-1m', 1_000_000],
  ['claude-opus-4.7', 1_000_000],
  ['claude-sonnet-5', 1_000_000],
  ['deepseek-3.2', 128_000],
  ['', 200_000],
  ['auto', undefined],
])('%s takes %s tokens', (model, tokens) => {
  expect(contextWindowOf(model)).toBe(tokens)
})
