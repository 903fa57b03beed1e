import { answerText } from '@millrace/simulator'
import { APIUserAbortError, type OpenAI } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { MESSAGES, openaiClient, WEATHER } from './openai-client.ts'
import { gatewayWithSimulator, upstreamClosed } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let completions: OpenAI['chat']['completions']
beforeAll(() => {
  completions = openaiClient(world.gateway).chat.completions
})

describe('stream()', () => {
  test('all events of a text', async () => {
    const stream_options = { include_usage: true }
    const stream = completions.stream({
      model: 'sim/logprobs?words=4',
      messages: MESSAGES,
      logprobs: true,
      stream_options,
    })
    const expected = [
      'connect',
      'chunk',
      'content',
      'content.delta',
      'logprobs.content.delta',
      'content.done',
      'logprobs.content.done',
      'chatCompletion',
      'message',
      'finalChatCompletion',
      'finalMessage',
      'finalContent',
      'totalUsage',
      'end',
    ] as const
    const seen = new Set<string>()
    for (const event of [...expected, 'error', 'abort'] as const) stream.on(event, () => void seen.add(event))
    let snapshot = ''
    stream.on('content.delta', event => (snapshot = event.snapshot))
    await expect(stream.finalContent()).resolves.toBe(answerText(4))
    await stream.done()
    expect(snapshot).toBe(answerText(4))
    expect([...seen]).toEqual(expected)
    const completion = await stream.finalChatCompletion()
    expect(completion.choices[0]!.logprobs?.content).toHaveLength(4)
    expect(await stream.totalUsage()).toMatchObject({ prompt_tokens: 12, completion_tokens: 4 })
  })

  test('all events of a tool call', async () => {
    const stream = completions.stream({ model: 'sim/tool', messages: MESSAGES, tools: [WEATHER] })
    const done: object[] = []
    let pieces = ''
    stream.on('tool_calls.function.arguments.delta', event => (pieces += event.arguments_delta))
    stream.on('tool_calls.function.arguments.done', event => done.push(event))
    const completion = await stream.finalChatCompletion()
    expect(pieces).toBe('{"city":"Berlin","unit":"celsius"}')
    expect(done).toMatchObject([{ index: 0, name: 'get_weather', arguments: pieces }])
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { role: 'assistant' } })
  })

  test('several tool calls, their pieces in turns', async () => {
    const stream = completions.stream({ model: 'sim/tools?calls=3', messages: MESSAGES, tools: [WEATHER] })
    const { choices } = await stream.finalChatCompletion()
    const called = choices[0]!.message.tool_calls?.map(call => call.type === 'function' && call.function.arguments)
    expect(called).toEqual(['Berlin', 'Nairobi', 'Lima'].map(city => `{"city":"${city}","unit":"celsius"}`))
  })

  test('a refusal', async () => {
    const stream = completions.stream({ model: 'sim/refusal?words=3', messages: MESSAGES })
    const refusals: string[] = []
    stream.on('refusal.done', event => refusals.push(event.refusal))
    const completion = await stream.finalChatCompletion()
    expect(refusals).toEqual([answerText(3)])
    expect(completion.choices[0]!.message).toMatchObject({ refusal: answerText(3) })
  })

  test('an error in the middle is the event "error", and nothing is final', async () => {
    const stream = completions.stream({ model: 'sim/error-in-stream?message=The+sluice+is+shut.', messages: MESSAGES })
    const errors: string[] = []
    stream.on('error', error => errors.push(error.message))
    stream.on('finalChatCompletion', () => errors.push('must not be'))
    await expect(stream.finalChatCompletion()).rejects.toThrow('The sluice is shut.')
    expect(errors).toEqual([expect.stringContaining('The sluice is shut.')])
  })

  test('abort() closes the upstream', async () => {
    const stream = completions.stream({ model: 'sim/stall?after=3', messages: MESSAGES })
    await stream.emitted('content.delta')
    const leftAt = performance.now()
    stream.abort()
    await expect(stream.done()).rejects.toThrow(APIUserAbortError)
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })
})

describe('runTools()', () => {
  test.for([true, false])('calls the function, sends its result and gets the answer (stream: %s)', async stream => {
    const asked: unknown[] = []
    const tool = {
      type: 'function' as const,
      function: {
        name: 'get_weather',
        description: 'The weather in a city.',
        parameters: WEATHER.function.parameters,
        parse: (text: string) => JSON.parse(text) as { city: string },
        function: async ({ city }: { city: string }) => {
          asked.push(city)
          return { city, sky: 'clear' }
        },
      },
    }
    const params = { model: 'sim/tool', messages: MESSAGES, tools: [tool] }
    const runner = stream ? completions.runTools({ ...params, stream: true }) : completions.runTools(params)
    await expect(runner.finalContent()).resolves.toBe(answerText(20))
    expect(asked).toEqual(['Berlin'])
    const { messages: sent } = JSON.parse(world.simulator.stats.lastRequest!.body) as { messages: object[] }
    expect(sent.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'call_simulated_1', function: { name: 'get_weather' } }] },
      { role: 'tool', tool_call_id: 'call_simulated_1', content: '{"city":"Berlin","sky":"clear"}' },
    ])
  })
})

describe('parse()', () => {
  const Weather = z.object({ city: z.string(), degrees: z.number() })
  const said = [{ role: 'user' as const, content: '{ "city": "Berlin", "degrees": 21 }' }]
  const response_format = zodResponseFormat(Weather, 'weather')

  test('JSON in the content becomes the object of the schema', async () => {
    const completion = await completions.parse({ model: 'sim/echo', messages: said, response_format })
    expect(completion.choices[0]!.message.parsed).toEqual({ city: 'Berlin', degrees: 21 })
    expect(JSON.parse(world.simulator.stats.lastRequest!.body)).toMatchObject({
      response_format: { type: 'json_schema' },
    })
  })

  test('and in a stream', async () => {
    const stream = completions.stream({ model: 'demo/echo', messages: said, response_format })
    const completion = await stream.finalChatCompletion()
    expect(completion.choices[0]!.message.parsed).toEqual({ city: 'Berlin', degrees: 21 })
  })
})
