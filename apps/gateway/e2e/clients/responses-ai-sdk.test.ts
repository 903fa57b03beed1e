import { createOpenAI } from '@ai-sdk/openai'
import { answerText } from '@millrace/simulator'
import { APICallError, generateText, isStepCount, streamText, tool } from 'ai'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { gatewayWithSimulator, KEY } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let openai: ReturnType<typeof createOpenAI>
beforeAll(() => {
  openai = createOpenAI({ baseURL: world.gateway.baseUrl, apiKey: KEY })
})
const prompt = 'Does the mill run?'
/** So that it sends what was said before, rather than the ids of it. */
const providerOptions = { openai: { store: false, include: ['reasoning.encrypted_content' as const] } }

const weather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string(), unit: z.string() }),
  execute: async ({ city }) => ({ city, sky: 'clear' }),
})

test('streamText: text, the reason to finish, usage', async () => {
  const { textStream, finishReason, usage } = streamText({ model: openai('sim/text'), prompt })
  const pieces = await Array.fromAsync(textStream)
  expect(pieces.join('')).toBe(answerText(20))
  expect(pieces.length).toBeGreaterThan(1)
  await expect(finishReason).resolves.toBe('stop')
  await expect(usage).resolves.toMatchObject({ inputTokens: 12, outputTokens: 20, totalTokens: 32 })
})

test.for([{}, providerOptions])('streamText: tools are run, and the answer after them (%j)', async options => {
  const { stream, steps } = streamText({
    model: openai('sim/tools'),
    prompt,
    tools: { weather },
    stopWhen: isStepCount(3),
    providerOptions: options,
  })
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

test('streamText: thoughts are reasoning parts, before the text, and go back with the conversation', async () => {
  const model = openai('sim/reasoning?words=5')
  const result = streamText({ model, prompt, providerOptions })
  const parts = await Array.fromAsync(result.stream)
  const thoughts = parts.map(part => (part.type === 'reasoning-delta' ? part.text : '')).join('')
  expect(thoughts.split(' ')).toHaveLength(5)
  const types = parts.map(({ type }) => type)
  expect(types.indexOf('reasoning-end')).toBeLessThan(types.indexOf('text-delta'))

  const { messages } = await result.response
  await generateText({
    model,
    messages: [{ role: 'user', content: prompt }, ...messages, { role: 'user', content: 'Why?' }],
    providerOptions,
  })
  const { messages: sent } = JSON.parse(world.simulator.stats.lastRequest!.body) as { messages: object[] }
  expect(sent).toMatchObject([
    { role: 'user' },
    { role: 'assistant', content: answerText(5), reasoning_content: thoughts },
    { role: 'user', content: 'Why?' },
  ])
})

test('streamText: an error in the middle is an error part, after the text before it', async () => {
  const model = openai('sim/error-in-stream?after=4&message=The+sluice+is+shut.')
  const { stream } = streamText({ model, prompt, onError: () => undefined })
  const parts = await Array.fromAsync(stream)
  expect(parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')).toBe(answerText(3))
  const errors = parts.filter(part => part.type === 'error').map(({ error }) => error)
  expect(JSON.stringify(errors, (_, value) => (value instanceof Error ? value.message : value))).toContain(
    'The sluice is shut.',
  )
})

test('generateText: text and usage; with tools, all the way to the answer', async () => {
  const plain = await generateText({ model: openai('sim/text'), prompt })
  expect(plain).toMatchObject({ text: answerText(20), finishReason: 'stop', usage: { outputTokens: 20 } })
  const called = await generateText({
    model: openai('sim/tool'),
    prompt,
    tools: { weather },
    stopWhen: isStepCount(3),
  })
  expect(called.text).toBe(answerText(20))
  expect(called.steps[0]!.toolResults).toMatchObject([{ output: { city: 'Berlin', sky: 'clear' } }])
})

test('what refers to something kept is refused in words that help', async () => {
  const messages = [
    { role: 'user' as const, content: prompt },
    {
      role: 'assistant' as const,
      content: [{ type: 'text' as const, text: 'Yes.', providerOptions: { openai: { itemId: 'msg_1' } } }],
    },
    { role: 'user' as const, content: 'Why?' },
  ]
  const asked = { model: openai('sim/text'), messages }
  const error = await generateText(asked).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(APICallError)
  expect(error).toMatchObject({ statusCode: 400, message: expect.stringContaining('`store: false`') })
  await expect(generateText({ ...asked, providerOptions })).resolves.toMatchObject({ text: answerText(20) })
})
