import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { answerText } from '@millrace/simulator'
import { APICallError, generateText, isStepCount, streamText, tool } from 'ai'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { gatewayWithSimulator, KEY, upstreamClosed } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let millrace: ReturnType<typeof createOpenAICompatible>
beforeAll(() => {
  const { baseUrl } = world.gateway
  millrace = createOpenAICompatible({ name: 'millrace', baseURL: baseUrl, apiKey: KEY, includeUsage: true })
})
const prompt = 'Does the mill run?'

const weather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string(), unit: z.string() }),
  execute: async ({ city }) => ({ city, sky: 'clear' }),
})

test('streamText: text, the reason to finish, usage', async () => {
  const { textStream, finishReason, usage } = streamText({ model: millrace('sim/text'), prompt })
  const pieces = await Array.fromAsync(textStream)
  expect(pieces.join('')).toBe(answerText(20))
  expect(pieces.length).toBeGreaterThan(1)
  await expect(finishReason).resolves.toBe('stop')
  await expect(usage).resolves.toMatchObject({ inputTokens: 12, outputTokens: 20, totalTokens: 32 })
})

test('streamText: tools are run, and the answer after them comes in the same call', async () => {
  const { stream, steps } = streamText({
    model: millrace('sim/tools'),
    prompt,
    tools: { weather },
    stopWhen: isStepCount(3),
  })
  const parts = await Array.fromAsync(stream)
  expect(parts.filter(({ type }) => type === 'error')).toEqual([])
  const results = parts.filter(part => part.type === 'tool-result')
  expect(results.map(({ output }) => output)).toEqual([
    { city: 'Berlin', sky: 'clear' },
    { city: 'Nairobi', sky: 'clear' },
  ])
  const text = parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')
  expect(text).toBe(answerText(20))
  expect((await steps).map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop'])
})

test('streamText: thoughts are reasoning parts, before the text', async () => {
  const { stream } = streamText({ model: millrace('sim/reasoning?words=5'), prompt })
  const parts = await Array.fromAsync(stream)
  const thoughts = parts.map(part => (part.type === 'reasoning-delta' ? part.text : '')).join('')
  expect(thoughts.split(' ')).toHaveLength(5)
  const types = parts.map(({ type }) => type)
  expect(types.indexOf('reasoning-end')).toBeLessThan(types.lastIndexOf('text-delta'))
})

test('streamText: an error in the middle is an error part, after the text before it', async () => {
  const model = millrace('sim/error-in-stream?after=4&message=The+sluice+is+shut.')
  const { stream } = streamText({ model, prompt, onError: () => undefined })
  const parts = await Array.fromAsync(stream)
  const text = parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')
  expect(text).toBe(answerText(3))
  const errors = parts.filter(part => part.type === 'error').map(({ error }) => error)
  expect(JSON.stringify(errors, (_, value) => (value instanceof Error ? value.message : value))).toContain(
    'The sluice is shut.',
  )
})

test('streamText: aborting closes the upstream', async () => {
  const controller = new AbortController()
  const { textStream } = streamText({
    model: millrace('sim/stall?after=5'),
    prompt,
    abortSignal: controller.signal,
    onError: () => undefined,
  })
  let leftAt = 0
  let text = ''
  for await (const piece of textStream) {
    text += piece
    if (text !== answerText(4)) continue
    leftAt = performance.now()
    controller.abort()
  }
  expect(text).toBe(answerText(4))
  expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
})

test('generateText: text and usage; with tools, all the way to the answer', async () => {
  const plain = await generateText({ model: millrace('sim/text'), prompt })
  expect(plain).toMatchObject({ text: answerText(20), finishReason: 'stop', usage: { outputTokens: 20 } })
  const model = millrace('sim/tool')
  const called = await generateText({ model, prompt, tools: { weather }, stopWhen: isStepCount(3) })
  expect(called.text).toBe(answerText(20))
  expect(called.steps[0]!.toolResults).toMatchObject([{ output: { city: 'Berlin', sky: 'clear' } }])
})

test('generateText: thoughts', async () => {
  const { finalStep, text } = await generateText({ model: millrace('sim/reasoning?words=5'), prompt })
  expect(finalStep.reasoningText?.split(' ')).toHaveLength(5)
  expect(text).toBe(answerText(5))
})

test('a model that does not exist: one request, and the words of the gateway', async () => {
  const error = await generateText({ model: millrace('unheard/of'), prompt }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(APICallError)
  expect(error).toMatchObject({ statusCode: 404, isRetryable: false, message: expect.stringContaining('unheard/of') })
})

test('an upstream that is limited for a moment is asked again when it says so', async () => {
  const { text } = await generateText({ model: millrace('sim/error?status=429&retryAfter=1&times=1'), prompt })
  expect(text).toBe(answerText(20))
  expect(world.simulator.stats.chats).toBe(2)
})
