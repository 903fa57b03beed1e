import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callsOf, chunksOf, contentOf, deltasOf, finishesOf } from '../../ask-simulator.ts'
import type { Reply } from '../../ask-simulator.ts'
import { answerText } from '../../words.ts'
import { askQwen } from '../ask-qwen.ts'
import type { QwenAskOptions } from '../ask-qwen.ts'
import { startQwenSimulator } from '../qwen-simulator.ts'
import type { QwenSimulator } from '../qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const toTool = (name: string): object => ({ type: 'function', function: { name, parameters: { type: 'object' } } })
const tools = [toTool('get_weather')]

const script = (wish: string, { members = {}, ...options }: QwenAskOptions = {}): Promise<Reply> =>
  askQwen(simulator, `qwen3-coder-plus?script=${wish}`, { members: { tools, ...members }, ...options })

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

describe('tool calls', () => {
  const members = { parallel_tool_calls: true }

  it('come with a head, empty ids, and a last delta without a finish', async () => {
    const reply = await script('tool&arguments={"a":"bcdefghij"}&name=look', {
      members: { tools: [toTool('get_weather'), toTool('look')] },
    })
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

  it('are chosen in a message, of all tools that there are, and end with text that quotes what they gave', async () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'read'].map(toTool)
    const wish = '[simulate: script=tool&name=read&arguments={"path": "a & [b].txt", "deep": {"%": "}"}}]'
    const user = { role: 'user', content: [{ type: 'text', text: `Read it. ${wish} Thanks!` }] }
    const ask = (messages: readonly object[]): Promise<Reply> =>
      askQwen(simulator, 'qwen3-coder-plus', { members: { tools: many, messages } })
    const called = await ask([user])
    expect(callsByIndex(called)).toEqual([['read', '{"path": "a & [b].txt", "deep": {"%": "}"}}']])
    const call = { id: 'call_1', type: 'function', function: { name: 'read', arguments: '{}' } }
    const assistant = { role: 'assistant', content: '', tool_calls: [call] }
    const saying = async (...results: readonly unknown[]): Promise<string> => {
      const answers = results.map(content => ({ role: 'tool', tool_call_id: 'call_1', content }))
      return contentOf(await ask([user, assistant, ...answers]))
    }
    expect(await saying('The mill  runs.\n')).toBe('The tool says: The mill  runs.\n')
    expect(await saying('one', [{ type: 'text', text: 'two' }, { type: 'image_url' }])).toBe('The tool says: one\ntwo')
    expect(await saying('x'.repeat(5000))).toBe(`The tool says: ${'x'.repeat(1000)}…`)
  })

  it('are text where the request offers no tools, or others', async () => {
    expect(contentOf(await script('tool', { members: { tools: undefined } }))).toBe(answerText())
    expect(contentOf(await script('tool&name=reed'))).toBe('There is no tool "reed"; there are: get_weather.')
  })

  it('may come behind thoughts, or behind text', async () => {
    const thinking = await askQwen(simulator, 'qwen3.6-plus?script=tool', { members: { tools } })
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
