import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, contentOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { answerText } from '../words.ts'
import { askQwen, faultOf } from './ask-qwen.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'
import { SITES } from './sites.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const PLAN_KEY = 'sk-sp-test-1'
const DASHSCOPE = SITES.filter(site => site.kind === 'dashscope')
const keyFor = (plan: string): string => (plan === 'payg' ? 'sk-test-1' : PLAN_KEY)

describe('the hosts', () => {
  it.each(DASHSCOPE.map(({ name, plan, hostname, base }) => [name, plan, hostname, base] as const))(
    '%s answers by its prefix, and by its name',
    async (site, plan, hostname, base) => {
      const key = keyFor(plan)
      expect(simulator.baseUrls[site]).toBe(`${simulator.url}/${site}${base}`)
      expect(contentOf(await askQwen(simulator, 'qwen3-coder-plus', { site, key }))).toBe(answerText())
      const path = `${base}/chat/completions`
      const headers = { host: `${hostname}:${simulator.port}`, authorization: `Bearer ${key}` }
      expect(contentOf(await askSimulator(simulator, 'qwen3-coder-plus', { path, headers }))).toBe(answerText())
    },
  )

  it.each([
    ['/compatible-mode/v1/chat/completions', 'sk-test-1'],
    ['/v1/chat/completions', 'at_portal'],
  ])('%s needs neither', async (path, key) => {
    simulator.control.issueTokens({ account: 'team', accessToken: 'at_portal' })
    const members = {
      messages: [
        { role: 'system', content: '' },
        { role: 'user', content: 'Hi' },
      ],
    }
    const headers = { authorization: `Bearer ${key}` }
    expect((await askSimulator(simulator, 'qwen3-coder-plus', { path, headers, members })).status).toBe(200)
  })

  it.each([
    '/singapore/coding/compatible-mode/v1/chat/completions',
    '/singapore/payg/v1/chat/completions',
    '/singapore/coding/v1/embeddings',
    '/singapore/token/api/v1/services/aigc/text-generation/generation',
    '/portal/v1/embeddings',
    '/mars/payg/compatible-mode/v1/chat/completions',
    '/auth/v1/chat/completions',
    '/',
    '//',
    '/?a=1&b',
  ])('%s is not there', async path => {
    const reply = await askSimulator(simulator, 'qwen3-coder-plus', {
      path,
      headers: { authorization: 'Bearer sk-test-1' },
    })
    expect(faultOf(reply)).toEqual([404, null, 'There is nothing here.'])
  })
})

describe('keys', () => {
  const REFUSED = [401, 'invalid_api_key', expect.stringMatching(/^Incorrect API key provided\./)] as const

  it.each([
    ['singapore/payg', PLAN_KEY],
    ['beijing/coding', 'sk-test-1'],
    ['singapore/token', 'sk-test-1'],
    ['singapore/coding', 'sk-sp-test-token-1'],
    ['singapore/token', 'sk-sp-test-coding-1'],
    ['singapore/payg', 'sk-test-beijing-1'],
    ['beijing/payg', 'sk-test-us-1'],
    ['beijing/coding', 'sk-sp-test-coding-singapore-1'],
    ['us/payg', 'at_1'],
    ['hongkong/payg', 'test-key'],
  ])('%s refuses %s', async (site, key) => {
    expect(faultOf(await askQwen(simulator, 'qwen3-coder-plus', { site, key }))).toEqual(REFUSED)
  })

  it.each([
    ['beijing/payg', 'sk-test-beijing-1'],
    ['beijing/coding', 'sk-sp-test-coding-beijing-1'],
    ['singapore/token', 'sk-sp-test-token-1'],
  ])('%s takes %s', async (site, key) => {
    expect((await askQwen(simulator, 'qwen3-coder-plus', { site, key })).status).toBe(200)
  })

  it.each([
    [undefined, 401, 'invalid_api_key'],
    [400, 400, 'invalid_parameter_error'],
    [403, 403, 'access_denied'],
    [404, 404, 'model_not_found'],
  ] as const)('may be refused elsewhere with %s', async (refusal, status, code) => {
    const key = `sk-test-refused-${refusal}`
    simulator.control.setKey({ key, region: 'beijing', ...(refusal && { refusal }) })
    expect(faultOf(await askQwen(simulator, 'qwen3-coder-plus', { key })).slice(0, 2)).toEqual([status, code])
    expect((await askQwen(simulator, 'qwen3-coder-plus', { key, site: 'beijing/payg' })).status).toBe(200)
  })

  it('may have to be known', async () => {
    await using strict = await startQwenSimulator({ apiKey: 'sk-test-only' })
    const ask = async (key: string): Promise<number> => (await askQwen(strict, 'qwen3-coder-plus', { key })).status
    expect([await ask('sk-test-1'), await ask('sk-test-only')]).toEqual([401, 200])
    strict.control.setKey({ key: 'sk-test-1' })
    expect(await ask('sk-test-1')).toBe(200)
    strict.control.reset()
    expect([await ask('sk-test-1'), await ask('sk-test-only')]).toEqual([401, 200])
  })
})

/** Asks with a key that is good there. */
function ask(site: string, model: string): Promise<Reply> {
  return askQwen(simulator, model, { site, key: keyFor(site.split('/')[1]!) })
}

/** The names in a site's list of models. */
async function list(site: string, key: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${key}` }
  const response = await fetch(`${simulator.baseUrls[site]}/models`, { headers })
  const { data } = (await response.json()) as { data: { id: string; object: string }[] }
  return data.flatMap(model => (model.object === 'model' ? model.id : []))
}

describe('the models of a host', () => {
  it.each([
    ['singapore/payg', 'qwen-plus-2025-09-11'],
    ['singapore/payg', 'qwen-max-latest'],
    ['beijing/payg', 'qwen-long'],
    ['singapore/coding', 'glm-4.7'],
    ['singapore/coding', 'qwen3-max-2026-01-23'],
    ['beijing/token', 'qwen3.7-max'],
  ])('%s has %s', async (site, model) => expect((await ask(site, model)).status).toBe(200))

  it.each([
    ['singapore/payg', 'gpt-4o'],
    ['singapore/payg', 'qwen-long'],
    ['singapore/payg', 'glm-4.7'],
    ['singapore/coding', 'qwen-turbo'],
    ['singapore/payg', '__proto__'],
  ])('%s does not have %s', async (site, model) => {
    expect(faultOf(await ask(site, model))).toEqual([
      404,
      'model_not_found',
      `The model \`${model}\` does not exist or you do not have access to it.`,
    ])
  })

  it('that do not chat are told apart', async () => {
    expect(faultOf(await ask('singapore/payg', 'qwen-image-plus')).slice(0, 2)).toEqual([404, 'model_not_supported'])
  })

  it('are listed, those that do not chat among them', async () => {
    const payg = await list('singapore/payg', 'sk-test-1')
    for (const id of [
      'qwen3-coder-plus',
      'qwen-image-plus',
      'wan2.5-t2v-preview',
      'qwen-audio-turbo',
      'qwen3-tts-flash',
    ]) {
      expect(payg).toContain(id)
    }
    expect(payg).not.toContain('qwen-long')
    expect(await list('beijing/payg', 'sk-test-1')).toContain('qwen-long')
    expect(await list('singapore/coding', PLAN_KEY)).toContain('kimi-k2.5')
  })

  it('may not be listed', async () => {
    simulator.control.setModelList({ error: 'no-route' })
    const headers = { authorization: `Bearer ${PLAN_KEY}` }
    expect((await fetch(`${simulator.baseUrls['singapore/coding']}/models`, { headers })).status).toBe(404)
    simulator.control.setModelList({ error: null })
    expect(await list('singapore/coding', PLAN_KEY)).toContain('glm-5')
  })
})
