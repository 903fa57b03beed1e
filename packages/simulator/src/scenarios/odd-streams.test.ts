import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, chunksOf, contentOf, dataOf, deltasOf, finishesOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { startSimulator } from '../simulator.ts'
import type { Simulator } from '../simulator.ts'
import { answerText } from '../words.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const ask = (model: string): Promise<Reply> => askSimulator(simulator, model)

describe('odd streams', () => {
  it.each(['two-finishes', 'role-each', 'nulls', 'shifting', 'pings', 'ndjson', 'no-choices', 'content-array'])(
    '%s is an ordinary completion where no stream is asked for',
    async model => {
      const { text } = await askSimulator(simulator, model, { stream: false })
      expect(JSON.parse(text)).toMatchObject({
        choices: [{ message: { content: answerText() }, finish_reason: 'stop' }],
      })
    },
  )

  it('usage-only', async () => {
    expect(chunksOf(await ask('usage-only'))).toMatchObject([{ choices: [], usage: { prompt_tokens: 12 } }])
  })

  it('whole-message', async () => {
    const [chunk, ...rest] = chunksOf(await ask('whole-message'))
    expect(rest).toEqual([])
    expect(chunk!.choices).toEqual([
      { index: 0, message: { role: 'assistant', content: answerText() }, finish_reason: 'stop' },
    ])
  })

  it('two-finishes', async () => {
    expect(finishesOf(await ask('two-finishes'))).toEqual(['stop', 'stop'])
  })

  it('role-each', async () => {
    const deltas = deltasOf(await ask('role-each?words=3'))
    expect(deltas.filter(delta => delta['role'] === 'assistant')).toHaveLength(4)
  })

  it('content-array', async () => {
    const deltas = deltasOf(await ask('content-array?words=1'))
    expect(deltas).toContainEqual({ content: [{ type: 'text', text: 'the' }] })
  })

  it('no-choices', async () => {
    const chunks = chunksOf(await ask('no-choices?words=1'))
    expect(chunks.map(chunk => 'choices' in chunk)).toEqual([true, false, true, false, true, false])
  })

  it('nulls', async () => {
    const deltas = deltasOf(await ask('nulls?words=1'))
    expect(deltas[2]).toMatchObject({ role: null, content: null, tool_calls: null })
  })

  it('shifting', async () => {
    const chunks = chunksOf(await ask('shifting'))
    expect(new Set(chunks.map(chunk => chunk.id)).size).toBe(chunks.length)
  })

  it('done-in-content', async () => {
    const reply = await ask('done-in-content')
    expect(contentOf(reply)).toMatch(/^\[DONE\]\n\ndata: \[DONE\]/)
    expect(dataOf(reply.text).filter(data => data === '[DONE]')).toHaveLength(1)
  })

  it('pings', async () => {
    expect((await ask('pings?words=1')).text).toMatch(/^event: ping\ndata: \{"type":"ping"\}\n\ndata: \{"id"/)
  })

  it('ndjson', async () => {
    const reply = await ask('ndjson?words=2')
    expect(reply.headers['content-type']).toBe('application/x-ndjson')
    const lines = reply.text.trimEnd().split('\n')
    expect(lines.map(line => (JSON.parse(line) as { object: string }).object)).toEqual(
      Array.from({ length: 4 }, () => 'chat.completion.chunk'),
    )
  })

  it('badutf8', async () => {
    const reply = await ask('badutf8')
    const bytes = Buffer.concat(reply.pieces)
    expect(bytes.includes(0xff)).toBe(true)
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toThrow(TypeError)
    expect(finishesOf(reply)).toEqual(['stop'])
  })

  it.each(['{oops', 'null', '42', '[]', '{"choices":null}', '"text"'])('not-json?value=%s', async value => {
    const data = dataOf((await ask(`not-json?value=${value}`)).text)
    expect(data[3]).toBe(value)
    expect(data.at(-1)).toBe('[DONE]')
  })
})

describe('large streams', () => {
  it('big-event', async () => {
    const reply = await ask('big-event?bytes=2000000')
    expect(contentOf(reply)).toBe(`before ${'x'.repeat(2_000_000)} after`)
  })

  it('big-line', async () => {
    const { text, error } = await ask('big-line?bytes=200000')
    const last = text.split('\n').at(-1)!
    expect([last, error]).toEqual([`data: ${'x'.repeat(200_000)}`, null])
  })

  it('big-comment', async () => {
    const reply = await ask('big-comment?bytes=200000')
    expect(reply.text.startsWith(`: ${'x'.repeat(200_000)}\n\ndata: {`)).toBe(true)
    expect(contentOf(reply)).toBe(answerText())
  })

  it('many-data-lines', async () => {
    const { text } = await ask('many-data-lines?bytes=200000')
    const [, tail] = text.split('\n\n')
    const lines = tail!.trimEnd().split('\n')
    expect(lines.every(line => line.startsWith('data: x'))).toBe(true)
    expect(tail!.length).toBeGreaterThanOrEqual(200_000)
    expect(text.endsWith('\n\n')).toBe(false)
  })

  it('tiny', async () => {
    expect(contentOf(await ask('tiny?count=3000'))).toBe('a'.repeat(3000))
  })
})
