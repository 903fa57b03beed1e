import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chunksOf, contentOf, dataOf, deltasOf, finishesOf, usageOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { answerText } from '../words.ts'
import { askQwen } from './ask-qwen.ts'
import type { QwenAskOptions } from './ask-qwen.ts'
import { describeQwen } from './describe-qwen.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'
import { QWEN_OPTIONS, QWEN_SCRIPTS } from './scripts.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const script = (wish: string, options: QwenAskOptions = {}): Promise<Reply> =>
  askQwen(simulator, `qwen3-coder-plus?script=${wish}`, options)

function thoughtsOf(reply: Reply, name = 'reasoning_content'): string {
  return deltasOf(reply)
    .map(delta => delta?.[name] ?? '')
    .join('')
}

const ENDLESS = new Set(['silence', 'stall'])

describe('the table of scripts', () => {
  it.each(Object.keys(QWEN_SCRIPTS).filter(name => !ENDLESS.has(name)))('%s has an end', async name => {
    for (const stream of [true, false]) {
      const reply = await script(name, { stream })
      expect(reply.status).toBe(name === 'example-9.6' ? 401 : 200)
    }
    await simulator.when(({ stats }) => stats.streamsOpen === 0)
    expect(simulator.stats.streamsAborted).toBe(0)
  })

  it('is described as a whole', () => {
    const text = describeQwen()
    for (const [name, { summary, options = {} }] of Object.entries(QWEN_SCRIPTS)) {
      expect(summary).toMatch(/^\S.*\.$/)
      for (const part of [name, summary, ...Object.keys(options)]) expect(text).toContain(part)
      expect(Object.keys(options).filter(option => option in QWEN_OPTIONS)).toEqual([])
    }
  })
})

describe('text', () => {
  it('comes with the role first, null usage in each chunk, and usage at the end', async () => {
    const reply = await script('text&words=2&prompt=7&cached=5&cacheWrite=2')
    const chunks = chunksOf(reply)
    expect(Object.keys(chunks[0]!)).toEqual([
      'choices',
      'object',
      'usage',
      'created',
      'system_fingerprint',
      'model',
      'id',
    ])
    expect(chunks.map(({ choices, usage }) => [choices?.[0]?.delta, choices?.[0]?.finish_reason, usage])).toEqual([
      [{ content: '', role: 'assistant' }, null, null],
      [{ content: 'the' }, null, null],
      [{ content: ' mill' }, null, null],
      [{ content: '' }, 'stop', null],
      [
        undefined,
        undefined,
        {
          prompt_tokens: 7,
          completion_tokens: 2,
          total_tokens: 9,
          prompt_tokens_details: {
            cached_tokens: 5,
            cache_creation_input_tokens: 2,
            cache_creation: { ephemeral_5m_input_tokens: 2 },
            cache_type: 'ephemeral',
          },
        },
      ],
    ])
    expect(chunks.at(-1)!.choices).toEqual([])
    expect(dataOf(reply.text).at(-1)).toBe('[DONE]')
  })

  it('has no usage where none is asked for', async () => {
    const reply = await script('text', { members: { stream_options: undefined } })
    expect([contentOf(reply), usageOf(reply)]).toEqual([answerText(), undefined])
  })

  it('may be one completion, laid out as the service does', async () => {
    const { text } = await script('text&words=2', { stream: false })
    expect(JSON.parse(text)).toEqual({
      choices: [
        { message: { content: 'the mill', role: 'assistant' }, finish_reason: 'stop', index: 0, logprobs: null },
      ],
      object: 'chat.completion',
      usage: expect.objectContaining({ prompt_tokens: 12, total_tokens: 14 }) as object,
      created: expect.any(Number) as number,
      system_fingerprint: null,
      model: 'qwen3-coder-plus?script=text&words=2',
      id: expect.stringMatching(/^chatcmpl-/) as string,
    })
  })

  it('names another model where that is asked for', async () => {
    expect(chunksOf(await script('text&echo=qwen3.6-plus-2026-04-02'))[0]!['model']).toBe('qwen3.6-plus-2026-04-02')
  })

  it.each([
    ['first', 0],
    ['finish', -1],
    ['each', -2],
  ])('has usage where the option says: %s', async (usage, at) => {
    expect(chunksOf(await script(`text&usage=${usage}`)).at(at)!.usage).toMatchObject({ prompt_tokens: 12 })
  })

  it.each([
    ['negative', -13],
    ['huge', 2 ** 61],
  ])('has usage that cannot be: %s', async (usage, total) => {
    expect(usageOf(await script(`text&usage=${usage}`))).toMatchObject({ total_tokens: total })
  })

  it('may have cached tokens at the top', async () => {
    expect(usageOf(await script('text&usage=top&cached=4'))).toMatchObject({ cached_tokens: 4 })
  })
})

describe('thinking', () => {
  it('comes before the text, each beside the other as null', async () => {
    const deltas = deltasOf(await script('reasoning&words=1'))
    expect(deltas).toEqual([
      { content: null, role: 'assistant', reasoning_content: '' },
      { content: null, reasoning_content: 'by' },
      { content: 'the', reasoning_content: null },
      { content: '', reasoning_content: null },
    ])
  })

  it('counts in the usage, and stands in a whole answer', async () => {
    expect(usageOf(await script('reasoning&words=9'))).toMatchObject({
      completion_tokens: 15,
      completion_tokens_details: { reasoning_tokens: 6 },
    })
    const whole = JSON.parse((await script('reasoning&words=1', { stream: false })).text) as { choices: object[] }
    expect(whole.choices[0]).toMatchObject({ message: { content: 'the', reasoning_content: 'by' } })
  })

  it.each([
    ['qwen3-max', {}, false],
    ['qwen3-max', { enable_thinking: true }, true],
    ['qwen3.6-plus', {}, true],
    ['qwen3.6-plus', { enable_thinking: false }, false],
    ['qwq-plus', {}, true],
    ['qwen3-coder-plus', { enable_thinking: true }, false],
  ])('%s %j: %s', async (model, members, thinks) => {
    const reply = await askQwen(simulator, model, { members })
    expect([thoughtsOf(reply) !== '', contentOf(reply)]).toEqual([thinks, answerText()])
  })

  it('may be all that comes', async () => {
    const reply = await script('thinking-only')
    expect([contentOf(reply), thoughtsOf(reply) !== '', finishesOf(reply)]).toEqual(['', true, ['length']])
  })

  it('may be elsewhere', async () => {
    expect(thoughtsOf(await script('reasoning-field&words=1'), 'reasoning')).toBe('by')
    expect(contentOf(await script('think-tags&words=1'))).toBe('<think>by</think>\n\nthe')
    expect(contentOf(await script('think-tags&words=1&orphan=1'))).toBe('the\n</think>')
  })
})

/** The texts of all deltas that have one. */
function contentsOf(reply: Reply): unknown[] {
  return deltasOf(reply)
    .map(delta => delta['content'])
    .filter(Boolean)
}

describe('cumulative text', () => {
  it('grows from delta to delta', async () => {
    expect(contentsOf(await script('cumulative&words=3'))).toEqual(['the', 'the mill', 'the mill stands'])
    const thinking = deltasOf(await askQwen(simulator, 'qwq-plus?script=cumulative&words=2'))
    expect(thinking.map(delta => delta['reasoning_content']).filter(Boolean)).toEqual(['by', 'by the'])
  })

  it('may begin to grow when there are two kilobytes', async () => {
    const contents = contentsOf(await script('cumulative-late')) as string[]
    const first = contents.findIndex(content => content.length > 100)
    const before = contents.slice(0, first).join('')
    expect(before.length).toBeGreaterThan(2000)
    expect(contents[first]!.startsWith(before)).toBe(true)
    expect(contents.at(-1)).toBe(answerText(600))
  })

  it('may go back', async () => {
    expect(contentsOf(await script('rewind&words=4'))).toEqual([
      'the',
      'the mill',
      'the mill stands',
      'the mill',
      'the mill stands by',
    ])
  })

  it('may only look like it', async () => {
    expect(contentOf(await script('repeats'))).toBe('hahaha\n\n\n\nha')
  })
})

describe('ends of streams', () => {
  it('two-finishes', async () => expect(finishesOf(await script('two-finishes'))).toEqual(['stop', 'stop']))
  it('content-after-finish', async () => {
    const reply = await script('content-after-finish&words=1')
    expect(contentOf(reply)).toBe('the and more')
    expect(chunksOf(reply).findIndex(chunk => chunk.choices?.[0]?.finish_reason)).toBe(2)
  })
  it('usage-with-finish', async () => {
    expect(chunksOf(await script('usage-with-finish')).at(-1)).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      usage: { prompt_tokens: 12 },
    })
  })
  it('usage-first', async () => expect(chunksOf(await script('usage-first'))[0]!.usage).not.toBeNull())
  it('usage-missing', async () => expect(usageOf(await script('usage-missing'))).toBeUndefined())
  it('usage-twice', async () => {
    expect(chunksOf(await script('usage-twice')).filter(chunk => chunk.usage)).toHaveLength(2)
  })
  it('no-done', async () => {
    const reply = await script('no-done')
    expect([finishesOf(reply), reply.text.includes('[DONE]')]).toEqual([['stop'], false])
  })
  it('silent-close', async () => {
    const reply = await script('silent-close')
    expect([contentOf(reply), finishesOf(reply), reply.text.includes('[DONE]'), reply.error]).toEqual([
      answerText(2),
      [],
      false,
      null,
    ])
  })
  it.each([
    ['nothing', []],
    ['done', ['[DONE]']],
    ['usage', [expect.stringContaining('"id":""'), '[DONE]']],
    ['role', [expect.stringContaining('"role"'), '[DONE]']],
  ])('empty: %s', async (how, data) => expect(dataOf((await script(`empty&how=${how}`)).text)).toEqual(data))
  it('odd-deltas', async () => {
    const chunks = chunksOf(await script('odd-deltas'))
    expect(chunks[0]!.choices![0]!.delta).toBeNull()
    expect(new Set(chunks.map(chunk => chunk.id)).size).toBe(chunks.length)
    expect(chunks[0]!.id).toBe('')
    expect(chunks[2]!.choices![0]!.finish_reason).toBe('')
    expect(chunks[2]!.choices![0]!.delta).toMatchObject({ role: null, tool_calls: null, content: 'the' })
  })
})
