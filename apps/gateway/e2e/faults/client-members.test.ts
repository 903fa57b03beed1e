import type { FailureCode } from '@millrace/core'
import { answerText } from '@millrace/simulator'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { expectGood, expectRefusal } from './expectations.ts'
import { startBench } from './start-bench.ts'

const bench = await startBench()
const { simulator } = bench
afterEach(() => bench.expectCalm())
afterAll(() => bench.end())

function tools(count: number): object[] {
  return Array.from({ length: count }, (_, at) => ({ type: 'function', function: { name: `f${at}` } }))
}

describe('C13: members with odd values', () => {
  test.each<[param: string, code: FailureCode, members: object]>([
    ['stream', 'invalid_value', { stream: 'yes' }],
    ['stream_options', 'invalid_value', { stream_options: 'usage' }],
    ['stream_options', 'invalid_value', { stream_options: [] }],
    ['stream_options.include_usage', 'invalid_value', { stream_options: { include_usage: 'yes' } }],
    ['n', 'invalid_value', { n: 0 }],
    ['n', 'invalid_value', { n: 129 }],
    ['n', 'invalid_value', { n: 1.5 }],
    ['n', 'invalid_value', { n: 'two' }],
    ['max_tokens', 'invalid_value', { max_tokens: -1 }],
    ['max_tokens', 'invalid_value', { max_tokens: 0 }],
    ['max_completion_tokens', 'invalid_value', { max_completion_tokens: '5' }],
    ['temperature', 'invalid_value', { temperature: 3 }],
    ['temperature', 'invalid_value', { temperature: -0.1 }],
    ['top_p', 'invalid_value', { top_p: 1.1 }],
    ['top_logprobs', 'invalid_value', { top_logprobs: 21 }],
    ['logprobs', 'invalid_value', { logprobs: 5 }],
    ['stop', 'invalid_value', { stop: 5 }],
    ['stop', 'invalid_value', { stop: Array.from({ length: 17 }, String) }],
    ['tools', 'invalid_value', { tools: tools(10_000) }],
    ['tools[0].function.name', 'missing_required_parameter', { tools: [{ type: 'function', function: {} }] }],
    ['tools[0].type', 'missing_required_parameter', { tools: [{}] }],
    ['tools', 'invalid_value', { tools: { 0: {} } }],
    ['messages', 'missing_required_parameter', { messages: undefined }],
    ['messages', 'invalid_value', { messages: [] }],
    ['messages', 'invalid_value', { messages: 'Hello' }],
    ['messages[0].role', 'missing_required_parameter', { messages: [{ content: 'Hello' }] }],
    ['messages[0].role', 'invalid_value', { messages: [{ role: 'robot', content: 'Hello' }] }],
    ['messages[0].content', 'invalid_value', { messages: [{ role: 'user', content: 5 }] }],
    ['messages[0]', 'invalid_value', { messages: [null] }],
    ['model', 'missing_required_parameter', { model: undefined }],
    ['model', 'invalid_value', { model: '' }],
    ['model', 'invalid_value', { model: 5 }],
    ['model', 'invalid_value', { model: 'm'.repeat(513) }],
    ['user', 'invalid_value', { user: 5 }],
    ['api_key', 'unsupported_parameter', { api_key: 'sk-of-another' }],
    ['api_base', 'unsupported_parameter', { api_base: 'https://evil.example' }],
    ['base_url', 'unsupported_parameter', { base_url: 'https://evil.example' }],
    ['extra_headers', 'unsupported_parameter', { extra_headers: { a: 'b' } }],
    ['custom_llm_provider', 'unsupported_parameter', { custom_llm_provider: 'x' }],
    ['proxy', 'unsupported_parameter', { proxy: 'http://evil.example' }],
  ])('%s: %s', async (param, code, members) => {
    const { requests } = simulator.stats
    const error = expectRefusal(await bench.ask('sim/text', { members }), 400, code)
    expect(error.param).toBe(param)
    expect(error.message).toContain(param)
    expect(error.message).not.toMatch(/sk-of-another|evil/)
    expect(simulator.stats.requests).toBe(requests)
  })

  test.each<[members: object, sent: object]>([
    [{ stream_options: null }, { stream_options: { include_usage: true } }],
    [{ stream_options: {} }, { stream_options: { include_usage: true } }],
    [{ stream_options: { include_usage: false } }, { stream_options: { include_usage: true } }],
    [
      { n: null, max_tokens: null, tools: null, stop: null, user: null, api_key: null },
      { n: null, max_tokens: null },
    ],
    [
      { max_tokens: 1, temperature: 2, top_p: 0 },
      { max_tokens: 1, temperature: 2, top_p: 0 },
    ],
    [{ tools: tools(1024) }, { tools: tools(1024) }],
    [{ a_member_of_tomorrow: { deep: [1, 2.5, null] } }, { a_member_of_tomorrow: { deep: [1, 2.5, null] } }],
  ])('what passes (%#)', async (members, sent) => {
    expectGood(await bench.ask('sim/text', { stream: false, members }), false, answerText())
    expectGood(await bench.ask('sim/text', { stream: true, members }), true, answerText())
    expect(JSON.parse(simulator.stats.lastRequest!.body)).toMatchObject(sent)
  })

  test('128 choices are that many', async () => {
    const answer = await bench.ask('sim/text?words=2', { stream: false, members: { n: 128 } })
    expect((JSON.parse(answer.text) as { choices: unknown[] }).choices).toHaveLength(128)
  })

  test('a model that nobody has', async () => {
    for (const model of ['nobody/text', 'nobody', 'sim', 'sim/']) {
      const error = expectRefusal(await bench.ask(model), 404, 'model_not_found')
      expect(error.param).toBe('model')
    }
  })
})
