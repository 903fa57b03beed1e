import { describe, expect, it } from 'vitest'
import { createPrompts, readPrompt } from './prompts.ts'

describe('createPrompts', () => {
  it.each([1500, 200_000, 2_000_000])('makes a request of about %i bytes', promptBytes => {
    const body = createPrompts({ model: 'grain', stream: true, promptBytes })(7)
    const { messages, ...others } = JSON.parse(body) as { messages: { role: string }[] }
    expect(others).toMatchObject({ model: 'grain', stream: true })
    expect(readPrompt(body)).toEqual({ stream: true, events: 7 })
    expect(messages.slice(0, 3).map(({ role }) => role)).toEqual(
      ['system', 'user', 'assistant'].slice(0, messages.length),
    )
    expect(Buffer.byteLength(body) / promptBytes).toBeGreaterThan(1)
    expect(Buffer.byteLength(body) / promptBytes).toBeLessThan(1.6)
  })
})

describe('readPrompt', () => {
  const [stream, whole] = [true, false].map(stream => createPrompts({ model: 'grain', stream, promptBytes: 100 })(250))

  it.each([
    { body: stream!, expected: { stream: true, events: 250 } },
    { body: whole!, expected: { stream: false, events: 250 } },
    { body: JSON.stringify(JSON.parse(stream!), null, 1), expected: { stream: true, events: 250 } },
    {
      body: createPrompts({ model: 'grain', stream: true, promptBytes: 100 }, 'messages')(9),
      expected: { stream: true, events: 9 },
    },
    { body: '{"model":"grain"}', expected: { stream: false, events: 1 } },
  ])('finds what is asked for', ({ body, expected }) => {
    expect(readPrompt(body)).toEqual(expected)
  })
})
