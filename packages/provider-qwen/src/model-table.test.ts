import { expect, test } from 'vitest'
import { isServed, knownModels, limitsOf, thinkingOf } from './model-table.ts'

test.for([
  ['qwen-plus', 32_768],
  ['qwen-plus-latest', 32_768],
  ['qwen-plus-2025-09-23', 32_768],
  ['qwen-max-0125', 8192],
  ['qwen3-max-2026-01-23', 65_536],
  ['qwen3-max-preview', undefined],
  ['qwen3-coder', undefined],
  ['toString', undefined],
  ['glm-5', undefined],
] as const)('%s gives at most %s tokens', ([model, output]) => {
  expect(limitsOf(model)?.output).toBe(output)
})

test.for([
  ['qwen-plus', 'switchable'],
  ['qwen-flash', 'switchable'],
  ['qwen3-max', 'switchable'],
  ['qwen3.5-plus', 'switchable'],
  ['qwen3.6-27b', 'switchable'],
  ['qwen3-vl-plus', 'switchable'],
  ['qwen3-235b-a22b', 'switchable'],
  ['coder-model', 'switchable'],
  ['qwq-plus', 'always'],
  ['qvq-max', 'always'],
  ['qwen3-next-80b-a3b-thinking', 'always'],
  ['qwen3-coder-plus', 'never'],
  ['qwen3-coder-480b-a35b-instruct', 'never'],
  ['qwen3-235b-a22b-instruct-2507', 'never'],
  ['qwen-max', 'never'],
  ['qwen-max-latest', 'never'],
  ['qwen2.5-72b-instruct', 'never'],
  ['qwen-vl-max', 'never'],
  ['qwen-mt-plus', 'never'],
  ['deepseek-v4-pro', undefined],
  ['glm-5.1', undefined],
] as const)('%s thinks: %s', ([model, thinking]) => {
  expect(thinkingOf(model)).toBe(thinking)
})

test('the list holds what can be asked', () => {
  const served = [
    'qwen-vl-max',
    'qwen3-coder-plus',
    'text-embedding-v4',
    'kimi-k2.6',
    'qwen-vl-ocr',
    'qwen3-omni-flash',
  ]
  const others = ['qwen-image-plus', 'wan2.5-t2v', 'qwen-audio-turbo', 'qwen3-tts-flash', 'qwen3-asr', 'gte-rerank-v2']
  expect([...served, ...others].filter(isServed)).toEqual(served)
  expect([true, false].flatMap(knownModels).filter(model => !isServed(model))).toEqual([])
})
