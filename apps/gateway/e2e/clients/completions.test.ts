import { answerText } from '@millrace/simulator'
import { BadRequestError, InternalServerError, type OpenAI } from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import { openaiClient } from './openai-client.ts'
import { gatewayWithSimulator } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

let openai: OpenAI
beforeAll(() => {
  openai = openaiClient(world.gateway)
})

const ask = { model: 'sim/text?words=12', prompt: 'Does the mill run?' }

describe('text completions through the official SDK', () => {
  test('a stream of text, with the usage at its end', async () => {
    const stream_options = { include_usage: true }
    const chunks = await Array.fromAsync(await openai.completions.create({ ...ask, stream: true, stream_options }))
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(answerText(12))
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['text_completion']))
    expect(chunks.flatMap(({ choices }) => choices.map(choice => choice.finish_reason)).filter(Boolean)).toEqual([
      'stop',
    ])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 12 } })
  })

  test('the same text whole, as upstream text in a frame of ours', async () => {
    const streamed = await Array.fromAsync(await openai.completions.create({ ...ask, stream: true }))
    const whole = await openai.completions.create(ask)
    expect(whole.choices[0]!.text).toBe(streamed.map(({ choices }) => choices[0]!.text).join(''))
    expect(whole).toMatchObject({ object: 'text_completion', usage: { completion_tokens: 12 } })
  })

  test('several prompts, each with its answers, and the prompt before them', async () => {
    const { choices } = await openai.completions.create({ ...ask, prompt: ['one: ', 'two: '], n: 2, echo: true })
    expect(choices.map(({ index, text }) => [index, text.slice(0, 5)])).toEqual([
      [0, 'one: '],
      [1, 'one: '],
      [2, 'two: '],
      [3, 'two: '],
    ])
  })

  test('what is not possible is said with the parameter', async () => {
    const refused = await openai.completions.create({ ...ask, suffix: 'end' }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(BadRequestError)
    expect(refused).toMatchObject({ param: 'suffix', code: 'unsupported_parameter' })
  })

  test('an answer that was cut is an error', async () => {
    const cut = async () => Array.fromAsync(await openai.completions.create({ ...ask, model: 'sim/cut', stream: true }))
    await expect(cut()).rejects.toMatchObject({ code: 'upstream_truncated' })
    await expect(openai.completions.create({ ...ask, model: 'sim/cut' })).rejects.toBeInstanceOf(InternalServerError)
  })
})

describe('embeddings through the official SDK', () => {
  const input = ['the mill', 'the race']

  test('as it asks for them, in base64, and as numbers', async () => {
    const packed = await openai.embeddings.create({ model: 'sim/embed', input })
    const plain = await openai.embeddings.create({ model: 'sim/embed', input, encoding_format: 'float' })
    expect(packed.data.map(({ index }) => index)).toEqual([0, 1])
    expect(packed.data[0]!.embedding.length).toBeGreaterThan(1)
    expect(packed.data.map(({ embedding }) => embedding.map(Math.fround))).toEqual(
      plain.data.map(({ embedding }) => embedding.map(Math.fround)),
    )
    expect(packed).toMatchObject({ object: 'list', model: 'sim/embed', usage: { prompt_tokens: expect.any(Number) } })
  })

  test('with so many dimensions, of one text and of tokens', async () => {
    const { data } = await openai.embeddings.create({ model: 'sim/embed', input: 'the mill', dimensions: 5 })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([5])
    const tokens = await openai.embeddings.create({ model: 'sim/embed', input: [[1, 2, 3], [4]] })
    expect(tokens.data).toHaveLength(2)
  })

  test('not of a provider that makes none', async () => {
    const refused = await openai.embeddings.create({ model: 'demo/echo', input }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  })

  test('wrong input is said with the parameter', async () => {
    await expect(openai.embeddings.create({ model: 'sim/embed', input: [] })).rejects.toMatchObject({
      status: 400,
      param: 'input',
    })
  })
})
