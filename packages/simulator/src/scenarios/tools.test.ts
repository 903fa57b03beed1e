import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, callsOf, contentOf, deltasOf, finishesOf } from '../ask-simulator.ts'
import type { Reply, SeenCall } from '../ask-simulator.ts'
import { startSimulator } from '../simulator.ts'
import type { Simulator } from '../simulator.ts'
import { answerText } from '../words.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const ask = (model: string, members: object = {}): Promise<Reply> => askSimulator(simulator, model, { members })

const BERLIN = { city: 'Berlin', unit: 'celsius' }
const NAIROBI = { city: 'Nairobi', unit: 'celsius' }

/** The arguments of the calls under one index, parsed. */
function argumentsOf(calls: readonly SeenCall[], index: unknown): unknown {
  const own = calls.filter(call => call.index === index)
  return JSON.parse(own.map(call => call.function.arguments).join(''))
}

describe('tool calls', () => {
  it('tool streams one call', async () => {
    const reply = await ask('tool')
    const calls = callsOf(reply)
    expect(calls[0]).toEqual({
      index: 0,
      id: 'call_simulated_1',
      type: 'function',
      function: { name: 'get_weather', arguments: '' },
    })
    expect(calls.slice(1).every(call => Object.keys(call).join() === 'index,function')).toBe(true)
    expect(argumentsOf(calls, 0)).toEqual(BERLIN)
    expect(finishesOf(reply)).toEqual(['tool_calls'])
  })

  it('calls what the request declares, or what the options say', async () => {
    const tools = [{ type: 'function', function: { name: 'read_file' } }]
    expect(callsOf(await ask('tool', { tools }))[0]?.function.name).toBe('read_file')
    const calls = callsOf(await ask('tool?name=grep&arguments={"pattern":"x"}', { tools }))
    expect(calls[0]?.function.name).toBe('grep')
    expect(argumentsOf(calls, 0)).toEqual({ pattern: 'x' })
  })

  it('answers with text once the result is there', async () => {
    const messages = [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', tool_call_id: 'call_simulated_1', content: 'sunny' },
    ]
    const reply = await ask('tool', { messages })
    expect([contentOf(reply), finishesOf(reply)]).toEqual([answerText(), ['stop']])
  })

  it('tools streams several, in turns', async () => {
    const calls = callsOf(await ask('tools?calls=2'))
    expect(calls.slice(0, 6).map(call => call.index)).toEqual([0, 1, 0, 1, 0, 1])
    expect([argumentsOf(calls, 0), argumentsOf(calls, 1)]).toEqual([BERLIN, NAIROBI])
  })

  it('function streams the older form', async () => {
    const reply = await ask('function')
    const called = deltasOf(reply).flatMap(delta => (delta['function_call'] as SeenCall['function']) ?? [])
    expect(called[0]).toEqual({ name: 'get_weather', arguments: '' })
    expect(JSON.parse(called.map(piece => piece.arguments).join(''))).toEqual(BERLIN)
    expect(finishesOf(reply)).toEqual(['function_call'])
  })

  it.each(['tool', 'tools', 'tools-loose?variant=reused-index', 'tools-loose', 'tools-loose?variant=whole-no-index'])(
    '%s gives whole calls in a whole answer',
    async model => {
      const { text } = await askSimulator(simulator, model, { stream: false })
      const { choices } = JSON.parse(text) as {
        choices: [{ message: { tool_calls: SeenCall[] }; finish_reason: string }]
      }
      const calls = choices[0].message.tool_calls.map(call => JSON.parse(String(call.function.arguments)) as unknown)
      expect(calls).toEqual(model === 'tool' ? [BERLIN] : [BERLIN, NAIROBI])
      expect(choices[0].finish_reason).toBe('tool_calls')
    },
  )
})

async function variant(name: string): Promise<readonly SeenCall[]> {
  return callsOf(await ask(`tools-loose?variant=${name}`))
}

describe('careless calls', () => {
  it.each([
    ['reused-index', 0],
    ['index-2^53', 2 ** 53],
    ['index-128', 128],
    ['index-negative', -1],
    ['index-proto', '__proto__'],
    ['no-index', undefined],
    ['whole-no-index', undefined],
  ])('%s', async (name, index) => {
    const calls = await variant(name)
    expect(new Set(calls.map(call => call.index))).toEqual(new Set([index]))
    expect(new Set(calls.flatMap(call => call.id ?? []))).toEqual(new Set(['call_simulated_1', 'call_simulated_2']))
  })

  it.each([
    ['id-each', ['call_simulated_1', 'call_simulated_2']],
    ['empty-id', ['']],
    ['no-id', [undefined]],
  ])('%s', async (name, ids) => {
    const calls = await variant(name)
    expect([...new Set(calls.map(call => call.id))]).toEqual(ids)
    expect([argumentsOf(calls, 0), argumentsOf(calls, 1)]).toEqual([BERLIN, NAIROBI])
  })

  it.each([
    ['null-arguments', null],
    ['no-arguments', undefined],
    ['object-arguments', BERLIN],
    ['whole', JSON.stringify(BERLIN)],
  ])('%s', async (name, value) => {
    const calls = await variant(name)
    expect(calls).toHaveLength(2)
    expect(calls[0]!.function.arguments).toEqual(value)
  })

  it('same-id, late-name, empty-name, finish-stop', async () => {
    expect([...new Set((await variant('same-id')).flatMap(call => call.id ?? []))]).toEqual(['call_simulated'])
    const late = (await variant('late-name')).filter(call => call.index === 0).map(call => call.function.name)
    expect([late.at(-1), ...new Set(late.slice(0, -1))]).toEqual(['get_weather', undefined])
    const empty = (await variant('empty-name')).filter(call => call.index === 0).map(call => call.function.name)
    expect([...new Set(empty)]).toEqual(['get_weather', ''])
    expect(finishesOf(await ask('tools-loose?variant=finish-stop'))).toEqual(['stop'])
  })
})
