import { answerText } from '@millrace/simulator'
import type { OpenAI } from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openaiClient } from './openai-client.ts'
import { gatewayWithSimulator, upstreamClosed } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let responses: OpenAI['responses']
beforeAll(() => {
  responses = openaiClient(world.gateway).responses
})

const input = 'Does the mill run?'
const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } } },
}
const BERLIN = '{"city":"Berlin","unit":"celsius"}'

const asked = (): Record<string, unknown> => JSON.parse(world.simulator.stats.lastRequest!.body)

describe('create()', () => {
  test('a whole answer', async () => {
    const response = await responses.create({ model: 'sim/text', input, instructions: 'Be brief.' })
    expect(response.output_text).toBe(answerText(20))
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      model: 'sim/text',
      store: false,
      instructions: 'Be brief.',
      usage: { input_tokens: 12, output_tokens: 20, total_tokens: 32 },
    })
    expect(response.id).toMatch(/^resp_/)
    expect(response).toHaveProperty('_request_id', expect.stringMatching(/^[\da-f-]{36}$/))
    expect(asked()['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: input },
    ])
  })

  test('a stream', async () => {
    const events = await Array.fromAsync(await responses.create({ model: 'sim/text', input, stream: true }))
    const text = events.map(event => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')
    expect(text).toBe(answerText(20))
    expect(events.map(event => event.sequence_number)).toEqual(events.map((_, at) => at))
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: { output_tokens: 20 } } })
  })

  test('every character of every script', async () => {
    const stream = await responses.create({ model: 'sim/unicode?size=1', input, stream: true })
    const events = await Array.fromAsync(stream)
    const text = events.map(event => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')
    expect(text).toContain('龙骑士在河边磨面。 👩‍🚀🌾 line\u2028separator')
  })

  test('a limit on the length that was met', async () => {
    const response = await responses.create({ model: 'sim/text?finish=length', input, max_output_tokens: 20 })
    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
    expect(asked()['max_completion_tokens']).toBe(20)
  })

  test('a refusal', async () => {
    const { output } = await responses.create({ model: 'sim/refusal?words=3', input })
    expect(output).toMatchObject([{ content: [{ type: 'refusal', refusal: answerText(3) }] }])
  })

  test('aborting closes the upstream', async () => {
    const stream = await responses.create({ model: 'sim/stall?after=5', input, stream: true })
    let leftAt = 0
    let text = ''
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') text += event.delta
      if (text !== answerText(4)) continue
      leftAt = performance.now()
      stream.controller.abort()
    }
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })
})

describe('stream()', () => {
  test('text, by its events and at the end', async () => {
    const stream = responses.stream({ model: 'sim/text', input })
    let text = ''
    stream.on('response.output_text.delta', ({ delta, snapshot }) => {
      text += delta
      expect(snapshot).toBe(text)
    })
    const response = await stream.finalResponse()
    expect([text, response.output_text]).toEqual([answerText(20), answerText(20)])
  })

  test('thoughts before the text', async () => {
    const stream = responses.stream({ model: 'sim/reasoning?words=6', input, reasoning: { summary: 'auto' } })
    const { output, output_text } = await stream.finalResponse()
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    expect(output[0]).toMatchObject({ summary: [{ text: expect.stringMatching(/^(\S+ ){5}\S+$/) }] })
    expect(output_text).toBe(answerText(6))
  })

  test('several calls, their pieces in turns', async () => {
    const stream = responses.stream({ model: 'sim/tools?calls=3', input, tools: [WEATHER] })
    const { output } = await stream.finalResponse()
    expect(output.map(item => item.type === 'function_call' && item.arguments)).toEqual(
      ['Berlin', 'Nairobi', 'Lima'].map(city => `{"city":"${city}","unit":"celsius"}`),
    )
  })

  test('an answer in a schema', async () => {
    const format = zodTextFormat(z.object({ city: z.string(), degrees: z.number() }), 'weather')
    const said = '{ "city": "Berlin", "degrees": 21 }'
    const response = await responses.parse({ model: 'sim/echo', input: said, text: { format } })
    expect(response.output_parsed).toEqual({ city: 'Berlin', degrees: 21 })
    expect(asked()).toMatchObject({ response_format: { type: 'json_schema', json_schema: { name: 'weather' } } })
  })
})

test.for([true, false])('a tool, its result, and the answer after it (stream: %s)', async stream => {
  const model = 'sim/tool'
  const respond = (items: OpenAI.Responses.ResponseInput): Promise<OpenAI.Responses.Response> => {
    const params = { model, input: items, tools: [WEATHER] }
    return stream ? responses.stream(params).finalResponse() : responses.create(params)
  }
  const conversation: OpenAI.Responses.ResponseInput = [{ role: 'user', content: input }]
  const first = await respond(conversation)
  const [call] = first.output
  expect(call).toMatchObject({ type: 'function_call', status: 'completed', name: 'get_weather', arguments: BERLIN })
  const { call_id } = call as OpenAI.Responses.ResponseFunctionToolCall
  conversation.push(...(first.output as OpenAI.Responses.ResponseInput))
  conversation.push({ type: 'function_call_output', call_id, output: '{"sky":"clear"}' })
  expect((await respond(conversation)).output_text).toBe(answerText(20))
  expect(asked()['messages']).toEqual([
    { role: 'user', content: input },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: call_id, type: 'function', function: { name: 'get_weather', arguments: BERLIN } }],
    },
    { role: 'tool', tool_call_id: call_id, content: '{"sky":"clear"}' },
  ])
})

test('a custom tool', async () => {
  const patch = '*** Begin Patch\n+"龙"\n'
  const model = `sim/tool?name=patch&arguments=${encodeURIComponent(JSON.stringify({ input: patch }))}`
  const tools = [{ type: 'custom' as const, name: 'patch', description: 'Applies a patch.' }]
  const events = await Array.fromAsync(await responses.create({ model, input, tools, stream: true }))
  const deltas = events.map(event => (event.type === 'response.custom_tool_call_input.delta' ? event.delta : ''))
  expect(deltas.join('')).toBe(patch)
  expect(events.at(-1)).toMatchObject({ response: { output: [{ type: 'custom_tool_call', input: patch }] } })
})
