import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { countRequestTokens } from './count-request-tokens.ts'
import { countTokens } from './count-tokens.ts'

describe('texts', () => {
  test.each<[string[], number]>([
    [[], 0],
    [[''], 0],
    [['Hello, world!'], 4],
    [['Hello', ' world'], 2],
    [['<|endoftext|>'], 7],
  ])('%j have %i tokens', async (texts, tokens) => {
    expect(await countTokens(texts)).toBe(tokens)
  })

  test('of any length are counted without holding up the event loop', async () => {
    await countTokens(['The vocabulary is there.'])
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const tokens = await countTokens(['a'.repeat(200_000), 'The mill turns. '.repeat(50_000)])
    delay.disable()
    expect(tokens).toBeGreaterThan(200_000)
    expect(delay.percentile(50) / 1e6).toBeLessThan(20)
  })
})

const said = (content: string) => ({ role: 'user' as const, content })

describe('a request', () => {
  test('has the tokens of its messages, their marks, its tool calls and its tools', async () => {
    const plain = await countRequestTokens({ model: 'm', messages: [said('Hello, world!')] })
    expect(plain).toBe(8)
    const tools = [{ type: 'function', function: { name: 'turn' } }]
    expect(await countRequestTokens({ model: 'm', messages: [said('Hello, world!')], tools })).toBeGreaterThan(plain)
  })

  test('counts a picture as so much', async () => {
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } }
    const text = { type: 'text', text: 'Hello' }
    expect(await countRequestTokens({ model: 'm', messages: [{ role: 'user', content: [text, picture] }] })).toBe(1005)
  })
})
