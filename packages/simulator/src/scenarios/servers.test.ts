import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, callsOf, chunksOf, contentOf, deltasOf, finishesOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { startSimulator } from '../simulator.ts'
import type { Simulator } from '../simulator.ts'
import { answerText } from '../words.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const WITH_USAGE = { stream_options: { include_usage: true } }

const ask = (model: string, members: object = WITH_USAGE): Promise<Reply> => askSimulator(simulator, model, { members })

const THINKERS: readonly (readonly [name: string, member: string])[] = [
  ['deepseek', 'reasoning_content'],
  ['groq', 'reasoning'],
  ['xai', 'reasoning_content'],
  ['cerebras', 'reasoning'],
  ['vllm', 'reasoning'],
  ['ollama', 'reasoning'],
  ['llamacpp', 'reasoning_content'],
  ['openrouter', 'reasoning'],
  ['moonshot', 'reasoning_content'],
]
const SILENT = ['azure', 'gemini', 'together']
const CALLERS = [...THINKERS.map(([name]) => name), ...SILENT, 'mistral']

describe('all servers', () => {
  it.each([...THINKERS.map(([name]) => name), ...SILENT])('%s says the text and finishes once', async name => {
    const reply = await ask(`${name}?words=4`)
    expect(contentOf(reply)).toBe(answerText(4))
    expect(finishesOf(reply)).toHaveLength(1)
    expect(reply.text).toMatch(/data: \[DONE\]\r?\n\r?\n$/)
  })

  it.each(THINKERS)('%s thinks in %s, unless it shall not', async (name, member) => {
    const thoughts = deltasOf(await ask(`${name}?words=2`)).flatMap(delta => delta[member] || [])
    expect(thoughts.join('')).toBe('by the')
    const none = deltasOf(await ask(`${name}?words=2&think=0`)).flatMap(delta => delta[member] || [])
    expect(none).toEqual([])
  })

  it.each(CALLERS)('%s calls tools', async name => {
    const reply = await ask(`${name}?call=1`)
    const called = callsOf(reply)
      .map(call => call.function.arguments)
      .join('')
    expect(called).toBe('{"city":"Berlin","unit":"celsius"}{"city":"Nairobi","unit":"celsius"}')
    expect(finishesOf(reply)).toEqual([name === 'gemini' ? 'stop' : 'tool_calls'])
  })

  it.each([...CALLERS, 'perplexity'])('%s gives a completion where no stream is asked for', async name => {
    const model = SILENT.includes(name) ? `${name}?words=3` : `${name}?words=3&think=0`
    const { text } = await askSimulator(simulator, model, { stream: false })
    const { choices, usage } = JSON.parse(text) as { choices: { message: { content: string } }[]; usage: object }
    expect(choices.map(choice => choice.message.content)).toEqual([answerText(3)])
    expect(usage).toMatchObject({ prompt_tokens: 12 })
  })
})

describe('the habits of each', () => {
  it('azure begins with filter results of nothing, and annotates', async () => {
    const chunks = chunksOf(await ask('azure'))
    expect(chunks[0]).toMatchObject({ id: '', object: '', created: 0, model: '', choices: [] })
    expect(chunks[0]).toHaveProperty('prompt_filter_results')
    expect(chunks.some(chunk => chunk.choices![0] && !chunk.choices![0].delta)).toBe(true)
  })

  it('deepseek comments, reports usage with the finish, and puts blank lines before JSON', async () => {
    const reply = await ask('deepseek')
    expect(reply.text).toMatch(/^: keep-alive\n\n/)
    expect(chunksOf(reply).at(-1)).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      usage: { prompt_cache_miss_tokens: 12 },
    })
    expect((await askSimulator(simulator, 'deepseek', { stream: false })).text).toMatch(/^\n\n\n\{/)
  })

  it('groq doubles the usage and sends rate headers', async () => {
    const reply = await ask('groq')
    const last = chunksOf(reply).at(-1) as { usage: object; x_groq: { usage: object } }
    expect(last.x_groq.usage).toEqual(last.usage)
    expect(reply.headers['x-ratelimit-remaining-requests']).toBe('14399')
    expect(callsOf(await ask('groq?call=1'))).toHaveLength(2)
  })

  it('mistral writes content in lists, and calls without index and type', async () => {
    const deltas = deltasOf(await ask('mistral?words=2'))
    expect(deltas).toContainEqual({ content: [{ type: 'text', text: 'the' }] })
    expect(JSON.stringify(deltas)).toContain('"type":"thinking"')
    const calls = callsOf(await ask('mistral?call=1'))
    expect(calls.map(call => Object.keys(call))).toEqual([
      ['id', 'function'],
      ['id', 'function'],
    ])
    expect(calls[0]!.id).toHaveLength(9)
  })

  it.each(['xai', 'cerebras'])('%s has no finish_reason until the end', async name => {
    const choices = chunksOf(await ask(`${name}?words=2`)).flatMap(chunk => chunk.choices!)
    expect(choices.filter(choice => 'finish_reason' in choice)).toHaveLength(1)
  })

  it.each(['xai', 'llamacpp'])('%s moves `created`', async name => {
    const chunks = chunksOf(await ask(`${name}?words=2`))
    expect(new Set(chunks.map(chunk => chunk.created)).size).toBeGreaterThan(3)
  })

  it('xai does not count thoughts as completion', async () => {
    const last = chunksOf(await ask('xai?words=2', {})).at(-1)
    expect(last).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 12, completion_tokens: 2, total_tokens: 16 },
    })
  })

  it('perplexity: CRLF, roles, growing usage, think tags, another object at the end', async () => {
    const reply = await ask('perplexity?words=2')
    expect(reply.text).not.toMatch(/[^\r]\n/)
    expect(deltasOf(reply).every(delta => delta['role'] === 'assistant')).toBe(true)
    const chunks = chunksOf(reply)
    expect(chunks.map(chunk => chunk.usage?.['completion_tokens'])).toEqual([1, 2, 3, 4, 5, 6, 6])
    expect(chunks.at(-1)!.object).toBe('chat.completion.done')
    expect(contentOf(reply)).toBe('<think>by the</think>the mill')
  })

  it('gemini: CRLF, whole calls without index in one chunk', async () => {
    const reply = await ask('gemini?call=1')
    expect(reply.text).not.toMatch(/[^\r]\n/)
    expect(callsOf(reply).map(call => call.index)).toEqual([undefined, undefined])
    expect(reply.text).toContain('thought_signature')
    expect((await ask('gemini?eol=lf')).text).not.toContain('\r')
  })

  it('openrouter: comments, provider, details of thoughts, cost', async () => {
    const reply = await ask('openrouter?words=2')
    expect(reply.text).toMatch(/^: OPENROUTER PROCESSING\n\n/)
    expect(reply.headers['x-generation-id']).toBe('gen-simulated-1')
    expect(chunksOf(reply).every(chunk => chunk['provider'] === 'Simulated')).toBe(true)
    expect(chunksOf(reply).at(-1)).toMatchObject({ usage: { is_byok: false } })
  })

  it('moonshot has no object, and usage inside the choice', async () => {
    const chunks = chunksOf(await ask('moonshot?words=1'))
    expect(chunks.some(chunk => 'object' in chunk)).toBe(false)
    expect(chunks.at(-1)!.choices![0]).toHaveProperty('usage')
  })

  it.each(['vllm', 'ollama', 'llamacpp'])('%s reports usage only where asked to', async name => {
    const usages = async (members: object): Promise<number> =>
      chunksOf(await ask(name, members)).filter(chunk => chunk.usage).length
    expect([await usages({}), await usages(WITH_USAGE)]).toEqual([0, 1])
  })

  it('together ends with eos, ollama is fp_ollama, llamacpp pings', async () => {
    expect(finishesOf(await ask('together'))).toEqual(['eos'])
    expect(chunksOf(await ask('ollama'))[0]!['system_fingerprint']).toBe('fp_ollama')
    expect((await ask('llamacpp')).text).toMatch(/^:\n\n/)
  })
})
