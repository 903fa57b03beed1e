import { createAnthropic, type AnthropicProvider } from '@ai-sdk/anthropic'
import { answerText } from '@millrace/simulator'
import { APICallError, generateText, isStepCount, streamText, tool } from 'ai'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { gatewayWithSimulator, KEY } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let millrace: AnthropicProvider
beforeAll(() => {
  millrace = createAnthropic({ baseURL: world.gateway.baseUrl, apiKey: KEY })
})
const prompt = 'Does the mill run?'

const weather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string(), unit: z.string() }),
  execute: async ({ city }) => ({ city, sky: 'clear' }),
})

test('text, the reason to finish, usage', async () => {
  const { textStream, finishReason, usage } = streamText({ model: millrace('sim/text'), prompt, maxOutputTokens: 1024 })
  const pieces = await Array.fromAsync(textStream)
  expect(pieces.join('')).toBe(answerText(20))
  expect(pieces.length).toBeGreaterThan(1)
  await expect(finishReason).resolves.toBe('stop')
  await expect(usage).resolves.toMatchObject({ inputTokens: 12, outputTokens: 20 })
})

test('tools are run, and the answer after them comes in the same call', async () => {
  const asked = {
    model: millrace('sim/tools'),
    prompt,
    maxOutputTokens: 1024,
    tools: { weather },
    stopWhen: isStepCount(3),
  }
  const { stream, steps } = streamText(asked)
  const parts = await Array.fromAsync(stream)
  expect(parts.filter(({ type }) => type === 'error')).toEqual([])
  const results = parts.filter(part => part.type === 'tool-result')
  expect(results.map(({ output }) => output)).toEqual([
    { city: 'Berlin', sky: 'clear' },
    { city: 'Nairobi', sky: 'clear' },
  ])
  expect(parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')).toBe(answerText(20))
  expect((await steps).map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop'])
})

test('thoughts are reasoning parts, before the text', async () => {
  const { stream } = streamText({ model: millrace('sim/reasoning?words=5'), prompt, maxOutputTokens: 1024 })
  const parts = await Array.fromAsync(stream)
  const thoughts = parts.map(part => (part.type === 'reasoning-delta' ? part.text : '')).join('')
  expect(thoughts.split(' ')).toHaveLength(5)
  const types = parts.map(({ type }) => type)
  expect(types.indexOf('reasoning-end')).toBeLessThan(types.lastIndexOf('text-delta'))
})

test('an error in the middle is an error part, after the text before it', async () => {
  const model = millrace('sim/error-in-stream?after=4&message=The+sluice+is+shut.')
  const { stream } = streamText({ model, prompt, maxOutputTokens: 1024, onError: () => undefined })
  const parts = await Array.fromAsync(stream)
  expect(parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')).toBe(answerText(3))
  const errors = parts.filter(part => part.type === 'error').map(({ error }) => error)
  const words = JSON.stringify(errors, (_, value) => (value instanceof Error ? value.message : (value as unknown)))
  expect(words).toContain('The sluice is shut.')
})

test('whole answers; with tools, all the way to the answer', async () => {
  const plain = await generateText({ model: millrace('sim/text'), prompt, maxOutputTokens: 1024 })
  expect(plain).toMatchObject({ text: answerText(20), finishReason: 'stop', usage: { outputTokens: 20 } })
  const asked = {
    model: millrace('sim/tool'),
    prompt,
    maxOutputTokens: 1024,
    tools: { weather },
    stopWhen: isStepCount(3),
  }
  const called = await generateText(asked)
  expect(called.text).toBe(answerText(20))
  expect(called.steps[0]!.toolResults).toMatchObject([{ output: { city: 'Berlin', sky: 'clear' } }])
})

test('a model that does not exist: one request, and the words of the gateway', async () => {
  const error = await generateText({ model: millrace('unheard/of'), prompt, maxOutputTokens: 1024 }).catch(
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(APICallError)
  expect(error).toMatchObject({ statusCode: 404, isRetryable: false, message: expect.stringContaining('unheard/of') })
})
