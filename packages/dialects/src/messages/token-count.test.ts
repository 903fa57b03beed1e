import { expect, test } from 'vitest'
import { readTokenCount } from './token-count.ts'

const MESSAGES = [{ role: 'user', content: 'Hello, world!' }]

test('is an estimate that says so, and grows with all that the model reads', async () => {
  const { model, count } = readTokenCount({ model: 'sim/text', messages: MESSAGES })
  expect(model).toBe('sim/text')
  await expect(count()).resolves.toEqual({ input_tokens: 8, estimated: true })
  const tools = [{ name: 'turn', input_schema: { type: 'object' } }]
  const more = (await readTokenCount({ model: 'm', messages: MESSAGES, system: 'Be short.', tools }).count()) as {
    input_tokens: number
  }
  expect(more.input_tokens).toBeGreaterThan(20)
})

test('needs no limit, and tells what is wrong', () => {
  expect(() => readTokenCount({ model: 'm' })).toThrow('"messages" is required')
})
