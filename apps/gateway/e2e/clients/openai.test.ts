import { answerText } from '@millrace/simulator'
import { APIError, APIUserAbortError, NotFoundError, type OpenAI } from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import { contentOf, MESSAGES, openaiClient, WEATHER } from './openai-client.ts'
import { gatewayWithSimulator, UPSTREAM_KEY, upstreamClosed } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let openai: OpenAI
let completions: OpenAI['chat']['completions']
beforeAll(() => {
  openai = openaiClient(world.gateway)
  completions = openai.chat.completions
})

describe('a stream', () => {
  test('role first, then what is new, then the reason to finish, all under one id', async () => {
    const chunks = await Array.fromAsync(
      await completions.create({ model: 'sim/text?words=20', messages: MESSAGES, stream: true }),
    )
    expect(contentOf(chunks)).toBe(answerText(20))
    expect(chunks.map(({ choices }) => choices[0]?.delta.role).filter(Boolean)).toEqual(['assistant'])
    expect(chunks[0]!.choices[0]!.delta.role).toBe('assistant')
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason).filter(Boolean)).toEqual(['stop'])
    expect(chunks.at(-1)!.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' })
    expect(new Set(chunks.map(({ id, created, model, object }) => `${id} ${created} ${model} ${object}`)).size).toBe(1)
    expect(chunks[0]).toMatchObject({ model: 'sim/text?words=20', object: 'chat.completion.chunk' })
    expect(chunks.every(({ usage }) => usage == null)).toBe(true)
  })

  test('the id of the request is there, and the upstream was asked with the key of the gateway', async () => {
    const asked = completions.create({ model: 'sim/text', messages: MESSAGES, stream: true })
    const { data, request_id } = await asked.withResponse()
    await Array.fromAsync(data)
    await expect(world.gateway.access(request_id)).resolves.toMatchObject({ status: 200, ending: 'completed' })
    expect(world.simulator.stats.lastRequest?.authorization).toBe(`Bearer ${UPSTREAM_KEY}`)
    expect(JSON.parse(world.simulator.stats.lastRequest!.body)).toMatchObject({
      model: 'text',
      stream: true,
      messages: MESSAGES,
    })
  })

  test('usage comes once, in a last chunk of its own, where it was asked for', async () => {
    const stream_options = { include_usage: true }
    const asked = { model: 'sim/text?words=7&usage=each', messages: MESSAGES, stream: true, stream_options } as const
    const chunks = await Array.fromAsync(await completions.create(asked))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 7 } })
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
  })

  test('several choices, each whole', async () => {
    const chunks = await Array.fromAsync(
      await completions.create({ model: 'sim/text?words=9', messages: MESSAGES, stream: true, n: 2 }),
    )
    expect(contentOf(chunks, 0)).toBe(answerText(9))
    expect(contentOf(chunks, 1).split(' ')).toHaveLength(9)
    const finished = chunks.flatMap(({ choices }) => choices.filter(choice => choice.finish_reason === 'stop'))
    expect(finished.map(({ index }) => index)).toEqual([0, 1])
  })

  test('log probabilities', async () => {
    const asked = { model: 'sim/logprobs?words=5', messages: MESSAGES, stream: true, logprobs: true } as const
    const chunks = await Array.fromAsync(await completions.create(asked))
    const tokens = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? [])
    expect(tokens.map(({ token }) => token).join('')).toBe(answerText(5))
    expect(tokens[0]).toMatchObject({ logprob: -0.25 })
  })

  test.for(['reasoning_content', 'reasoning', 'both'])('thoughts from %s', async field => {
    const model = `sim/reasoning?field=${field}&words=6`
    const chunks = await Array.fromAsync(await completions.create({ model, messages: MESSAGES, stream: true }))
    const deltas = chunks.map(({ choices }) => choices[0]!.delta as Record<string, unknown>)
    const thoughts = deltas.map(delta => delta['reasoning_content'] ?? '').join('')
    expect(thoughts.split(' ')).toHaveLength(6)
    expect(contentOf(chunks)).toBe(answerText(6))
  })

  test('every character of every script', async () => {
    const chunks = await Array.fromAsync(
      await completions.create({ model: 'sim/unicode', messages: MESSAGES, stream: true }),
    )
    const text = contentOf(chunks)
    expect(text).toContain('龙骑士在河边磨面。 👩‍🚀🌾 line\u2028separator paragraph\u2029separator next\u0085line')
    expect(text.endsWith('\0\u001b')).toBe(true)
  })

  test('tool calls in pieces', async () => {
    const tools = [WEATHER]
    const stream = await completions.create({ model: 'sim/tools', messages: MESSAGES, stream: true, tools })
    const chunks = await Array.fromAsync(stream)
    const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    const heads = pieces.filter(({ id }) => id !== undefined)
    expect(heads.map(({ index, type, function: called }) => [index, type, called?.name])).toEqual([
      [0, 'function', 'get_weather'],
      [1, 'function', 'get_weather'],
    ])
    const cities = [0, 1].map(index => {
      const text = pieces.filter(piece => piece.index === index).map(piece => piece.function?.arguments ?? '')
      return (JSON.parse(text.join('')) as { city: string }).city
    })
    expect(cities).toEqual(['Berlin', 'Nairobi'])
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('tool_calls')
  })

  test('the older functions', async () => {
    const functions = [{ ...WEATHER.function }]
    const stream = await completions.create({ model: 'sim/tool', messages: MESSAGES, stream: true, functions })
    const chunks = await Array.fromAsync(stream)
    const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.function_call ?? [])
    expect(pieces[0]).toMatchObject({ name: 'get_weather' })
    expect(JSON.parse(pieces.map(piece => piece.arguments ?? '').join(''))).toMatchObject({ city: 'Berlin' })
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('function_call')
  })

  test('words arrive while the upstream is still at it, and leaving closes the upstream', async () => {
    const stream = await completions.create({ model: 'sim/stall?after=5', messages: MESSAGES, stream: true })
    let text = ''
    let leftAt = 0
    for await (const chunk of stream) {
      text += contentOf([chunk])
      if (text !== answerText(4)) continue
      expect(world.simulator.stats.streamsOpen).toBe(1)
      leftAt = performance.now()
      break
    }
    expect(text).toBe(answerText(4))
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })

  test.for([true, false])('aborting while nothing has come yet closes the upstream (stream: %s)', async stream => {
    const controller = new AbortController()
    const asked = completions.create(
      { model: 'sim/refuse-headers', messages: MESSAGES, stream },
      { signal: controller.signal },
    )
    await world.simulator.when(stats => stats.streamsOpen === 1)
    const leftAt = performance.now()
    controller.abort()
    await expect(asked).rejects.toThrow(APIUserAbortError)
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })

  test('an error in the middle is thrown with its message, after the words before it', async () => {
    const model = 'sim/error-in-stream?after=4&message=The+sluice+is+shut.'
    const stream = await completions.create({ model, messages: MESSAGES, stream: true })
    let text = ''
    const read = async (): Promise<void> => {
      for await (const chunk of stream) text += contentOf([chunk])
    }
    const error = await read().catch((error: unknown) => error as APIError)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ message: expect.stringContaining('The sluice is shut.'), type: 'upstream_error' })
    expect(text).toBe(answerText(3))
  })

  test('a connection that breaks upstream is an error too, not an end', async () => {
    const stream = await completions.create({ model: 'sim/reset?after=900', messages: MESSAGES, stream: true })
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'upstream_truncated' })
  })
})

describe('a whole answer', () => {
  test('all members, those without a value as null', async () => {
    const asked = completions.create({ model: 'sim/text', messages: MESSAGES })
    const { data, response } = await asked.withResponse()
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(data).toHaveProperty('_request_id', response.headers.get('x-request-id'))
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'sim/text',
      choices: [{ index: 0, finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: 12, completion_tokens: 20, total_tokens: 32 },
    })
    expect(data.choices[0]!.message).toEqual({
      role: 'assistant',
      content: answerText(20),
      refusal: null,
      tool_calls: null,
      function_call: null,
    })
    for (const member of ['usage', 'system_fingerprint', 'service_tier']) expect(data).toHaveProperty(member)
  })

  test('tool calls', async () => {
    const { choices } = await completions.create({ model: 'sim/tools', messages: MESSAGES, tools: [WEATHER] })
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(choices[0]!.message.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'get_weather', arguments: '{"city":"Berlin","unit":"celsius"}' } },
      { type: 'function', function: { name: 'get_weather', arguments: '{"city":"Nairobi","unit":"celsius"}' } },
    ])
  })

  test('content in parts is understood, streamed and whole', async () => {
    const parts = ['Hello, ', 'in two parts.'].map(text => ({ type: 'text' as const, text }))
    const said = [{ role: 'user' as const, content: parts }]
    for (const model of ['sim/echo', 'demo/fast']) {
      const { choices } = await completions.create({ model, messages: said })
      expect(choices[0]!.message.content).toBe('Hello, in two parts.')
      const chunks = await Array.fromAsync(await completions.create({ model, messages: said, stream: true }))
      expect(contentOf(chunks)).toBe('Hello, in two parts.')
    }
  })
})

describe('models', () => {
  test('list() and retrieve()', async () => {
    const listed = await Array.fromAsync(openai.models.list())
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(['sim/text', 'sim/tool', 'demo/echo']))
    expect(listed.every(({ object, created, owned_by }) => object === 'model' && created > 0 && owned_by)).toBe(true)
    const { id } = await openai.models.retrieve('sim/text')
    expect(id).toBe('sim/text')
    await expect(openai.models.retrieve('sim/nothing')).rejects.toThrow(NotFoundError)
  })
})
