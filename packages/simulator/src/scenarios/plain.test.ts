import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, chunksOf, contentOf, dataOf, deltasOf, finishesOf, usageOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { startSimulator } from '../simulator.ts'
import type { Simulator } from '../simulator.ts'
import { answerText } from '../words.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const ask = (model: string, members: object = {}): Promise<Reply> => askSimulator(simulator, model, { members })

async function wholeOf(model: string): Promise<unknown> {
  return JSON.parse((await askSimulator(simulator, model, { stream: false })).text)
}

const WITH_USAGE = { stream_options: { include_usage: true } }

describe('an ordinary stream', () => {
  it('has a role, the text word by word, a finish, and [DONE]', async () => {
    const reply = await ask('text?words=3')
    expect(reply.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-request-id': expect.stringMatching(/^req_/) as unknown,
    })
    expect(deltasOf(reply)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'the' },
      { content: ' mill' },
      { content: ' stands' },
      {},
    ])
    expect(finishesOf(reply)).toEqual(['stop'])
    expect(dataOf(reply.text).at(-1)).toBe('[DONE]')
    expect(new Set(chunksOf(reply).map(({ id, created, object }) => `${id} ${created} ${object}`)).size).toBe(1)
  })

  it('is the same each time, and one write an event', async () => {
    const [first, second] = [await ask('text?words=50'), await ask('text?words=50')]
    expect(second.text).toBe(first.text)
    expect(first.pieces).toHaveLength(dataOf(first.text).length)
  })

  it('puts several events into a write where asked to', async () => {
    const reply = await ask('text?words=13&batch=8')
    expect(reply.pieces.map(piece => dataOf(piece.toString()).length)).toEqual([8, 8])
  })

  it.each([
    ['text?words=4&size=5', ['the m', 'ill s', 'tands', ' by']],
    ['text?words=2&size=1', [...'the mill']],
  ])('cuts the text as asked: %s', async (model, pieces) => {
    const content = deltasOf(await ask(model)).flatMap(delta => delta['content'] || [])
    expect(content).toEqual(pieces)
  })

  it('ends for the reason that is asked for', async () => {
    expect(finishesOf(await ask('text?finish=length'))).toEqual(['length'])
  })

  it.each(['tool?as=json', 'json'])('is a whole answer where asked to: %s', async model => {
    const reply = await ask(model)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'chat.completion' })
  })
})

describe('usage', () => {
  const counted = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 }

  it('comes last and by itself where the request asks for it, and not otherwise', async () => {
    const chunks = chunksOf(await ask('text?words=3', WITH_USAGE))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: counted })
    expect(chunks.slice(0, -1).every(chunk => chunk.usage === null)).toBe(true)
    expect(chunksOf(await ask('text?words=3')).some(chunk => 'usage' in chunk)).toBe(false)
  })

  it.each([
    ['end', [0, 0, 0, 0, 0, 1]],
    ['finish', [0, 0, 0, 0, 1]],
    ['before', [0, 0, 0, 0, 1, 0]],
    ['each', [1, 1, 1, 1, 1]],
    ['none', [0, 0, 0, 0, 0]],
    ['negative', [0, 0, 0, 0, 0, 1]],
    ['huge', [0, 0, 0, 0, 0, 1]],
    ['xgroq', [0, 0, 0, 0, 0]],
  ])('usage=%s stands in the right places', async (usage, places) => {
    const chunks = chunksOf(await ask(`text?words=3&usage=${usage}`, WITH_USAGE))
    expect(chunks.map(chunk => (chunk.usage ? 1 : 0))).toEqual(places)
  })

  it('has the numbers that are asked for', async () => {
    const usage = async (model: string): Promise<unknown> => usageOf(await ask(model))
    expect(await usage('text?words=3&usage=finish&prompt=100')).toMatchObject({ prompt_tokens: 100, total_tokens: 103 })
    expect(await usage('text?words=3&usage=negative')).toMatchObject({ completion_tokens: -1 })
    expect(await usage('text?words=3&usage=huge')).toMatchObject({ completion_tokens: 2 ** 60 })
    const last = chunksOf(await ask('text?words=3&usage=xgroq')).at(-1)
    expect(last).toMatchObject({ x_groq: { usage: counted } })
    const each = chunksOf(await ask('text?words=3&usage=each')).map(chunk => chunk.usage?.['completion_tokens'])
    expect(each).toEqual([0, 1, 2, 3, 3])
  })

  it('stands in a whole answer unless it shall not', async () => {
    expect(await wholeOf('text?words=3')).toMatchObject({ usage: counted })
    expect(await wholeOf('text?words=3&usage=none')).not.toHaveProperty('usage')
  })
})

describe('other good answers', () => {
  it('echo says what the user said, text parts included', async () => {
    const said = 'Zwei  Mühlen,\nein Fluss. '
    expect(contentOf(await ask('echo', { messages: [{ role: 'user', content: said }] }))).toBe(said)
    const parts = [{ type: 'text', text: 'one ' }, { type: 'image_url' }, { type: 'text', text: 'two' }]
    const reply = await ask('echo', {
      messages: [
        { role: 'user', content: parts },
        { role: 'assistant', content: 'no' },
      ],
    })
    expect(deltasOf(reply).flatMap(delta => delta['content'] || [])).toEqual(['one', ' two'])
  })

  it.each([
    ['reasoning', ['reasoning_content']],
    ['reasoning?field=reasoning', ['reasoning']],
    ['reasoning?field=both', ['reasoning', 'reasoning_content']],
  ])('%s thinks before it speaks', async (model, members) => {
    const deltas = deltasOf(await ask(`${model}${model.includes('?') ? '&' : '?'}words=2`)).slice(1, -1)
    expect(deltas.map(delta => Object.keys(delta))).toEqual([members, members, ['content'], ['content']])
  })

  it('choices come in turns, as many as asked for, each with its own text, start and end', async () => {
    const reply = await ask('choices?words=2', { n: 3 })
    expect(chunksOf(reply).map(chunk => chunk.choices![0]!.index)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
    expect([0, 1, 2].map(index => contentOf(reply, index))).toEqual(['the mill', 'mill stands', 'stands by'])
    expect([0, 1, 2].map(index => finishesOf(reply, index))).toEqual([['stop'], ['stop'], ['stop']])
    expect(contentOf(await ask('text?words=2', { n: 2 }), 1)).toBe('mill stands')
  })

  it('logprobs come with each piece', async () => {
    const choices = chunksOf(await ask('logprobs?words=2')).flatMap(chunk => chunk.choices!)
    expect(choices.flatMap(choice => choice.logprobs?.content[0]?.token ?? [])).toEqual(['the', ' mill'])
  })

  it('unicode is raw, and whole however it is cut', async () => {
    const reply = await ask('unicode')
    expect(reply.text).toMatch(/\u2028.*\u2029.*\u0085/s)
    expect(contentOf(reply)).toContain('龙骑士')
    expect(contentOf(await ask('unicode?split=1'))).toBe(contentOf(reply))
  })

  it('refusal refuses', async () => {
    expect(deltasOf(await ask('refusal?words=1'))).toContainEqual({ refusal: 'the' })
  })

  it('cumulative repeats itself', async () => {
    const content = deltasOf(await ask('cumulative?words=3')).flatMap(delta => delta['content'] || [])
    expect(content).toEqual(['the', 'the mill', 'the mill stands'])
    const whole = await askSimulator(simulator, 'cumulative?words=3', { stream: false })
    expect(JSON.parse(whole.text)).toMatchObject({ choices: [{ message: { content: answerText(3) } }] })
  })
})
