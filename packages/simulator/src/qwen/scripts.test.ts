import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callsOf, chunksOf, contentOf, dataOf, deltasOf, finishesOf, usageOf } from '../ask-simulator.ts'
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

/** Calls put together by index, in order of appearance: names and arguments. */
function callsByIndex(reply: Reply): [name: string | undefined, args: string][] {
  const calls = new Map<unknown, [string | undefined, string]>()
  for (const { index, function: called } of callsOf(reply)) {
    const [name, args] = calls.get(index) ?? [undefined, '']
    calls.set(index, [called.name ?? name, args + ((called.arguments as string | null | undefined) ?? '')])
  }
  return [...calls.values()]
}

const BERLIN = '{"city":"Berlin","unit":"celsius"}'
const NAIROBI = '{"city":"Nairobi","unit":"celsius"}'
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

describe('tool calls', () => {
  const members = { parallel_tool_calls: true }

  it('come with a head, empty ids, and a last delta without a finish', async () => {
    const reply = await script('tool&arguments={"a":"bcdefghij"}&name=look')
    const choices = chunksOf(reply).flatMap(chunk => chunk.choices ?? [])
    const id = 'call_000000000000000000000001'
    expect(choices.map(choice => choice.delta)).toEqual([
      {
        content: null,
        tool_calls: [{ index: 0, id, type: 'function', function: { name: 'look', arguments: '' } }],
        role: 'assistant',
      },
      { content: null, tool_calls: [{ index: 0, id: '', type: 'function', function: { arguments: '{"a":"bc' } }] },
      { content: null, tool_calls: [{ index: 0, id: '', type: 'function', function: { arguments: 'defghij"' } }] },
      { content: null, tool_calls: [{ index: 0, id: '', type: 'function', function: { arguments: '}' } }] },
      { tool_calls: [{ function: { arguments: '' }, index: 0, id: '', type: 'function' }] },
      {},
    ])
    expect(choices.at(-2)).not.toHaveProperty('finish_reason')
    expect(finishesOf(reply)).toEqual(['tool_calls'])
  })

  it('are parallel only where the request says they may', async () => {
    expect(callsByIndex(await script('tools'))).toEqual([['get_weather', BERLIN]])
    expect(callsByIndex(await script('tools', { members }))).toEqual([
      ['get_weather', BERLIN],
      ['get_weather', NAIROBI],
    ])
  })

  it('stand in a whole answer with their index', async () => {
    const { text } = await script('tools', { stream: false, members })
    const [choice] = (JSON.parse(text) as { choices: object[] }).choices
    expect(choice).toMatchObject({
      message: { content: '', tool_calls: [{ index: 0, function: { arguments: BERLIN } }, { index: 1 }] },
      finish_reason: 'tool_calls',
    })
  })

  it('are followed by text once there is a result', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }
    const messages = [
      { role: 'user', content: 'look' },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'seen' },
    ]
    expect(contentOf(await script('tool', { members: { messages } }))).toBe(answerText())
  })

  it('may come behind thoughts, or behind text', async () => {
    const thinking = await askQwen(simulator, 'qwen3.6-plus?script=tool')
    expect(deltasOf(thinking)[0]).toEqual({ content: null, role: 'assistant', reasoning_content: '' })
    expect(callsByIndex(thinking)).toEqual([['get_weather', BERLIN]])
    const spoken = await script('tools-behind-text')
    expect([contentOf(spoken), callsByIndex(spoken), finishesOf(spoken)]).toEqual([
      answerText(),
      [['get_weather', BERLIN]],
      ['tool_calls'],
    ])
  })

  it.each(['null-arguments', 'repeated-id', 'sparse-index', 'late-name', 'repeated-name', 'together', 'finish-stop'])(
    'tools-%s are two calls all the same',
    async name => {
      expect(callsByIndex(await script(`tools-${name}`))).toEqual([
        ['get_weather', BERLIN],
        ['get_weather', NAIROBI],
      ])
    },
  )

  it.each([
    ['reused-index', [0]],
    ['no-index', [undefined]],
    ['sparse-index', [0, 2]],
  ])('tools-%s have the indexes %j', async (name, indexes) => {
    const calls = callsOf(await script(`tools-${name}`))
    expect([...new Set(calls.map(call => call.index))]).toEqual(indexes)
    expect(new Set(calls.map(call => call.id).filter(Boolean)).size).toBe(2)
  })

  it('have each its own quirk', async () => {
    const nulls = callsOf(await script('tools-null-arguments')).map(call => call.function.arguments)
    expect(nulls.filter(value => value === null)).toHaveLength(4)
    expect(callsOf(await script('tools-repeated-id')).every(call => call.id !== '')).toBe(true)
    expect(callsOf(await script('tools-late-name'))[0]!.function).not.toHaveProperty('name')
    expect(callsOf(await script('tools-repeated-name')).every(call => call.function.name !== undefined)).toBe(true)
    expect(callsOf(await script('tools-whole')).map(call => call.function.arguments)).toEqual([
      ` ${BERLIN}`,
      ` ${NAIROBI}`,
    ])
    expect(deltasOf(await script('tools-together')).map(delta => delta.tool_calls?.length)).toContain(2)
    expect(finishesOf(await script('tools-finish-stop'))).toEqual(['stop'])
    const cut = await script('tools-truncated')
    expect(() => JSON.parse(callsByIndex(cut)[1]![1]) as unknown).toThrow(SyntaxError)
    expect(finishesOf(cut)).toEqual(['tool_calls'])
    expect(contentOf(await script('tools-as-text'))).toMatch(/^<tool_call>\n\{.*\}\n<\/tool_call>$/)
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

describe('the framing', () => {
  it.each([
    ['crlf', /\r\n\r\n/, (text: string) => text.replaceAll('\r\n', '\n')],
    ['cr', /^[^\n]*$/, (text: string) => text.replaceAll('\r', '\n')],
    ['no-space', /^data:\{/, (text: string) => text.replaceAll('data:', 'data: ')],
    ['no-blank-lines', /\}\ndata:/, (text: string) => text.replaceAll('\n', '\n\n')],
    [
      'native-lines',
      /^id:1\nevent:result\n:HTTP_STATUS\/200\ndata:\{/,
      (text: string) => text.replace(/^(?:id|event|:HTTP).*\n/gm, '').replaceAll('data:', 'data: '),
    ],
  ])('%s says the same', async (name, pattern, restored) => {
    const reply = await script(name)
    expect(reply.text).toMatch(pattern)
    expect(
      restored(reply.text)
        .replaceAll(`script=${name}`, 'script=text')
        .replace(/id:\d+\n\n$/, ''),
    ).toBe((await script('text')).text)
  })

  it('one-byte', async () => {
    const { pieces, text } = await script('one-byte')
    expect(pieces.every(piece => piece.length === 1)).toBe(true)
    expect(text.replaceAll('one-byte', 'text')).toBe((await script('text')).text)
  })

  it('comments', async () => {
    const { text } = await script('comments')
    expect(text).toContain(': keep-alive')
    expect(text.split('\n').filter(line => line.startsWith('data: {'))).toHaveLength(23)
  })

  it('data-lines', async () => {
    const [first] = (await script('data-lines')).text.split('\n\n')
    const lines = first!.split('\n')
    expect(lines.length).toBeGreaterThan(5)
    expect(JSON.parse(lines.map(line => line.slice(6)).join('\n'))).toMatchObject({ object: 'chat.completion.chunk' })
  })

  it('one-write', async () => {
    const { pieces, text } = await script('one-write')
    expect([pieces.length >= 1, text.length > 64 * 1024]).toEqual([true, true])
    expect(await firstChunkSize('one-write')).toBe(text.length)
  })

  it('split-characters cuts within each character of several bytes', async () => {
    const { pieces, text } = await script('split-characters')
    expect(text).toContain('🍓')
    expect(pieces.filter(piece => (piece[0]! & 0xc0) === 0x80)).toHaveLength(
      Buffer.from(text).filter(byte => (byte & 0xc0) === 0x80).length,
    )
    expect((await script('unicode')).text.replaceAll('unicode', 'split-characters')).toBe(text)
  })
})

/** The size that the first chunk of HTTP says it has. */
async function firstChunkSize(name: string): Promise<number> {
  const body = JSON.stringify({
    model: `qwen3-coder-plus?script=${name}`,
    stream: true,
    messages: [{ role: 'user', content: 'Does the mill run?' }],
    stream_options: { include_usage: true },
  })
  const socket = connect(simulator.port, '127.0.0.1')
  socket.write(
    `POST /compatible-mode/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-test-1\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  let text = ''
  socket.on('data', piece => (text += piece.toString()))
  await once(socket, 'end')
  socket.destroy()
  return parseInt(/\r\n\r\n([\da-f]+)\r\n/.exec(text)![1]!, 16)
}
