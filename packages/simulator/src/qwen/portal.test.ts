import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { contentOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { answerText } from '../words.ts'
import { askQwen, faultOf } from './ask-qwen.ts'
import type { QwenAskOptions } from './ask-qwen.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

let simulator: QwenSimulator
beforeEach(async () => {
  simulator = await startQwenSimulator()
  simulator.control.issueTokens({ account: 'team' })
})
afterEach(() => simulator.close())

const SYSTEM = { role: 'system', content: [{ type: 'text', text: '', cache_control: { type: 'ephemeral' } }] }
const USER = { role: 'user', content: 'Does the mill run?' }

function ask(options: QwenAskOptions = {}, model = 'coder-model'): Promise<Reply> {
  return askQwen(simulator, model, { site: 'portal', key: 'at_1', members: { messages: [SYSTEM, USER] }, ...options })
}

describe('chat at the portal', () => {
  it.each(['coder-model', 'vision-model', 'qwen3-coder-plus', 'qwen3-coder-flash'])('%s answers', async model => {
    expect(contentOf(await ask({}, model))).toBe(answerText())
  })

  it.each([
    ['no system message', [USER]],
    ['a system message behind', [USER, SYSTEM]],
    ['two system messages', [SYSTEM, SYSTEM, USER]],
  ])('is a bad request with %s', async (_, messages) => {
    expect(faultOf(await ask({ members: { messages } }))).toEqual([400, 'invalid_parameter_error', 'bad request'])
  })

  it('knows its model under no newer name', async () => {
    expect(faultOf(await ask({}, 'qwen3.6-plus'))).toEqual([400, 'invalid_parameter_error', 'Model not exist.'])
    expect((await ask({}, 'qwen-max')).status).toBe(404)
  })

  it.each(['sk-test-1', 'at_2', 'rt_1'])('takes no %s', async key => {
    expect(faultOf(await ask({ key }))).toEqual([401, 'invalid_api_key', 'invalid access token or token expired'])
  })

  it('is over when the tier is closed, though the list of models is not', async () => {
    simulator.control.setTier({ closed: true })
    expect(faultOf(await ask())[0]).toBe(401)
    const models = `${simulator.baseUrls['portal']}/models`
    const { data } = (await (await fetch(models, { headers: { authorization: 'Bearer at_1' } })).json()) as {
      data: { id: string }[]
    }
    expect(data.map(model => model.id)).toContain('coder-model')
    simulator.control.setTier({ closed: false })
    expect((await ask()).status).toBe(200)
  })

  it('may be there for one agent only', async () => {
    simulator.control.setTier({ onlyAgent: 'QwenCode/' })
    expect(faultOf(await ask())).toEqual([429, 'insufficient_quota', 'Free allocated quota exceeded.'])
    expect((await ask({ headers: { 'user-agent': 'QwenCode/1.0 (linux; x64)' } })).status).toBe(200)
  })

  it('has a quota for each day, which all tokens of an account share', async () => {
    simulator.control.setClock({ at: '2026-03-10T12:00:00Z' })
    simulator.control.setLimits({ credential: 'at_1', limits: { day: 2 } })
    simulator.control.issueTokens({ account: 'team', expiresIn: 1_000_000 })
    expect([(await ask()).status, (await ask({ key: 'at_2' })).status]).toEqual([200, 200])
    expect(faultOf(await ask())).toEqual([429, 'insufficient_quota', 'Free allocated quota exceeded.'])
    simulator.control.setClock({ at: '2026-03-10T23:59:50Z' })
    expect((await ask({ key: 'at_2' })).status).toBe(429)
    simulator.control.setClock({ at: '2026-03-11T00:00:00Z' })
    expect((await ask({ key: 'at_2' })).status).toBe(200)
  })
})

async function search(
  body: object,
  path = '/portal/api/v1/indices/plugin/web_search',
  key = 'at_1',
): Promise<Response> {
  const headers = { authorization: `Bearer ${key}` }
  return fetch(new URL(path, simulator.url), { method: 'POST', headers, body: JSON.stringify(body) })
}

describe('web search', () => {
  it('finds pages', async () => {
    for (const path of [undefined, '/api/v1/indices/plugin/web_search']) {
      const found = (await (await search({ uq: 'mill', page: 1, rows: 3 }, path)).json()) as {
        data: { docs: object[] }
      }
      expect(found).toMatchObject({ success: true, message: 'success', status: 0, data: { total: 20, qpInfos: [] } })
      expect(found.data.docs).toHaveLength(3)
      expect(Object.keys(found.data.docs[0]!)).toEqual([
        '_id',
        '_score',
        'title',
        'url',
        'snippet',
        'hostname',
        'timestamp',
      ])
    }
    const last = (await (await search({ uq: 'mill', page: 3, rows: 8 })).json()) as { data: { docs: object[] } }
    expect(last.data.docs).toHaveLength(4)
  })

  it('is there a thousand times a day, or as often as is set', async () => {
    expect((await search({ uq: 'mill' })).status).toBe(200)
    expect(simulator.state.accounts['team']?.limits).toEqual({ searches: 1000 })
    simulator.control.restore({ credential: 'team' })
    simulator.control.setClock({ at: '2026-03-10T23:59:50Z' })
    simulator.control.setLimits({ credential: 'at_1', limits: { searches: 1 } })
    expect([(await search({ uq: 'mill' })).status, (await search({ uq: 'mill' })).status]).toEqual([200, 429])
    expect((await ask()).status).toBe(200)
    simulator.control.advanceClock({ ms: 10_000 })
    expect((await search({ uq: 'mill' })).status).toBe(200)
  })

  it('wants a query, a hundred rows at most, and a token', async () => {
    expect((await search({ rows: 3 })).status).toBe(400)
    expect((await search({ uq: 'mill', rows: 101 })).status).toBe(400)
    expect((await search({ uq: 'mill' }, undefined, 'sk-test-1')).status).toBe(401)
  })
})
