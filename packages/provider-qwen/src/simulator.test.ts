import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chat, HELLO, startSimulated, TOOLS, type Simulated } from './testing/simulated.ts'

let simulated: Simulated
beforeAll(async () => {
  simulated = await startSimulated()
})
beforeEach(() => simulated.simulator.control.reset())
afterAll(() => simulated[Symbol.asyncDispose]())

describe('every way in which Qwen says the same', () => {
  const SAME = [
    'cumulative',
    'rewind',
    'two-finishes',
    'usage-with-finish',
    'usage-first',
    'usage-twice',
    'usage-missing',
    'no-done',
    'odd-deltas',
    'json',
    'no-space',
    'data-lines',
    'no-blank-lines',
    'native-lines',
    'one-byte',
  ]

  test.for(SAME)('%s', async script => {
    const provider = simulated.openKeys('sk-test-1')
    const [plain, other] = [await chat(provider, 'qwen-plus'), await chat(provider, `qwen-plus?script=${script}`)]
    expect(other).toMatchObject({ failure: undefined, breaches: [] })
    expect(other).toMatchObject({ text: plain.text, thoughts: plain.thoughts, finish: 'stop' })
  })

  test.for(['reasoning', 'reasoning-field', 'cumulative'])('with thoughts: %s', async script => {
    const provider = simulated.openKeys('sk-test-1')
    const [plain, other] = [await chat(provider, 'qwq-plus'), await chat(provider, `qwq-plus?script=${script}`)]
    expect(plain.thoughts).not.toBe('')
    expect(other).toMatchObject({ text: plain.text, thoughts: plain.thoughts, finish: 'stop', failure: undefined })
  })

  test('cumulative deltas behind two kilobytes of ordinary ones', async () => {
    const provider = simulated.openKeys('sk-test-1')
    const plain = await chat(provider, 'qwen-plus?words=600')
    expect(plain.text.length).toBeGreaterThan(2048)
    expect(await chat(provider, 'qwen-plus?script=cumulative-late&words=600')).toMatchObject({ text: plain.text })
  })

  test.for<[script: string, text: string]>([
    ['repeats', 'hahaha\n\n\n\nha'],
    ['example-9.5', 'The quick brown fox.'],
    ['example-9.5-repeat', 'hahaha!'],
    ['example-9.1', 'café 你好!'],
  ])('the text of %s', async ([script, text]) => {
    expect(await chat(simulated.openKeys('sk-test-1'), `qwen-plus?script=${script}`)).toMatchObject({
      text,
      failure: undefined,
    })
  })

  test('a tag that closes nothing', async () => {
    const provider = simulated.openKeys('sk-test-1')
    const plain = await chat(provider, 'qwen-plus')
    const tagged = await chat(provider, 'qwen-plus?script=think-tags&orphan=1')
    expect(tagged.text.trimEnd()).toBe(plain.text)
  })

  test('thoughts that use up all tokens', async () => {
    expect(await chat(simulated.openKeys('sk-test-1'), 'qwq-plus?script=thinking-only')).toMatchObject({
      text: '',
      finish: 'length',
    })
  })
})

describe('calls of tools', () => {
  const SAME = [
    'tools-reused-index',
    'tools-null-arguments',
    'tools-repeated-id',
    'tools-no-index',
    'tools-sparse-index',
    'tools-late-name',
    'tools-repeated-name',
    'tools-together',
    'tools-finish-stop',
  ]

  test.for(SAME)('%s', async script => {
    const provider = simulated.openKeys('sk-test-1')
    const plain = await chat(provider, 'qwen3-coder-plus?script=tools', { tools: TOOLS })
    expect(plain.calls).toHaveLength(2)
    const other = await chat(provider, `qwen3-coder-plus?script=${script}`, { tools: TOOLS })
    expect(other).toMatchObject({ calls: plain.calls, finish: 'tool_calls', failure: undefined })
  })

  test('that a prompt asks for end with an answer that quotes what they gave', async () => {
    const provider = simulated.openKeys('sk-test-1')
    const content = 'Look it up. [simulate: script=tool&name=lookup&arguments={"what": ["mill", "race"]}]'
    const asked = [{ role: 'user', content }]
    const { calls, finish } = await chat(provider, 'qwen3-coder-plus', { tools: TOOLS, messages: asked })
    expect({ calls, finish }).toMatchObject({ calls: [{ name: 'lookup' }], finish: 'tool_calls' })
    expect(JSON.parse(calls[0]!.arguments)).toEqual({ what: ['mill', 'race'] })
    const messages = [
      ...asked,
      { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: calls[0] }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'A channel of water.' },
    ]
    const answer = await chat(provider, 'qwen3-coder-plus', { tools: TOOLS, messages })
    expect(answer).toMatchObject({ text: 'The tool says: A channel of water.', finish: 'stop', calls: [] })
  })

  test('whose arguments are cut short', async () => {
    const cut = await chat(simulated.openKeys('sk-test-1'), 'qwen3-coder-plus?script=tools-truncated', { tools: TOOLS })
    expect(cut.finish).toBe('length')
  })
})

const call = (id: string, args: string): object => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
})
const marked = (text: string): object => ({ type: 'text', text, cache_control: { type: 'ephemeral' } })

describe('what Qwen refuses is not asked', () => {
  const IN_JSON = [{ role: 'user', content: 'Answer in JSON.' }]
  const NAMED = { tool_choice: { type: 'function', function: { name: 'lookup' } } }
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }

  test.for<[name: string, members: object, model?: string]>([
    ['a whole answer of a model that only streams', { stream: false }, 'qwq-plus'],
    ['a whole answer with thoughts', { stream: false, enable_thinking: true }, 'qwen3-32b'],
    ['a developer', { messages: [{ role: 'developer', content: 'Be brief.' }, ...HELLO.messages] }],
    ['no tools', { tools: [] }],
    ['the only tool, required', { tools: TOOLS.slice(1), tool_choice: 'required' }],
    ['a tool by its name, of a model that thinks unless told not to', { tools: TOOLS, ...NAMED }, 'qwen3.6-plus'],
    ['JSON of such a model', { response_format: { type: 'json_object' }, messages: IN_JSON }, 'qwen3.6-plus'],
    ['nothing for top_p', { top_p: 0 }],
    ['too high a limit', { max_completion_tokens: 1_000_000 }, 'qwen-max'],
    ['an effort', { reasoning_effort: 'xhigh' }, 'qwen3.6-flash'],
    ['many marks', { messages: [{ role: 'user', content: ['1', '2', '3', '4', '5', '6'].map(marked) }] }],
    ['lists', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }, 'qwen-plus?refuse=arrays'],
    ['a member that some servers refuse', { store: true }, 'qwen-plus?refuse=store'],
    [
      'a history with faults',
      {
        messages: [
          { role: 'tool', tool_call_id: 'lost', content: 'x' },
          ...HELLO.messages,
          { role: 'assistant', content: null, tool_calls: [call('a', '{"x": "hal'), call('b', '{}')] },
          { role: 'user', content: 'Quick.' },
          { role: 'tool', tool_call_id: 'a', content: [image] },
        ],
      },
      'qwen-plus?refuse=null-content',
    ],
  ])('%s', async ([, members, model = 'qwen-plus']) => {
    const { failure, text } = await chat(simulated.openKeys('sk-test-1'), model, members)
    expect(failure).toBeUndefined()
    expect(text).not.toBe('')
  })
})
