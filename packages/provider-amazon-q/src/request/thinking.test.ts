import { expect, test } from 'vitest'
import { toThinkingPrompt } from './thinking.ts'

const REQUEST = { model: 'M', messages: [{ role: 'user' as const, content: 'u' }] }
const adaptive = (effort: string): string =>
  `<thinking_mode>adaptive</thinking_mode><thinking_effort>${effort}</thinking_effort>`
const enabled = (tokens: number): string =>
  `<thinking_mode>enabled</thinking_mode><max_thinking_length>${tokens}</max_thinking_length>`

test.for<[members: object, prompt: string | undefined]>([
  [{}, undefined],
  [{ reasoning_effort: 'none' }, undefined],
  [{ reasoning_effort: 'minimal' }, adaptive('low')],
  [{ reasoning_effort: 'medium' }, adaptive('medium')],
  [{ reasoning_effort: 'xhigh' }, adaptive('high')],
  [{ reasoning: { effort: 'high' } }, adaptive('high')],
  [{ reasoning: { max_tokens: 2000.5 } }, enabled(2000)],
  [{ reasoning: { enabled: false } }, undefined],
  [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, enabled(1024)],
  [{ thinking: { type: 'disabled', budget_tokens: 1024 } }, undefined],
])('%j', ([members, prompt]) => {
  expect(toThinkingPrompt({ ...REQUEST, ...members })).toBe(prompt)
})

test.for(['huge', 'constructor', 3])('an effort of %s is refused', effort => {
  expect(() => toThinkingPrompt({ ...REQUEST, reasoning: { effort } })).toThrow(
    expect.objectContaining({ code: 'invalid_value', param: 'reasoning.effort' }),
  )
})
