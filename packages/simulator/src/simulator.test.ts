import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askSimulator, contentOf } from './ask-simulator.ts'
import { SCENARIOS } from './scenarios.ts'
import { startSimulator } from './simulator.ts'
import type { Simulator } from './simulator.ts'
import { answerText } from './words.ts'

let simulator: Simulator
beforeEach(async () => {
  simulator = await startSimulator()
})
afterEach(() => simulator.close())

async function readJson(path: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(new URL(path, simulator.url), init)
  return response.json()
}

function embed(model: string): Promise<Response> {
  return fetch(`${simulator.url}/embeddings`, { method: 'POST', body: JSON.stringify({ model, input: 'mill' }) })
}

describe('endpoints', () => {
  it('answers chat with and without /v1', async () => {
    for (const path of ['/v1/chat/completions', '/chat/completions']) {
      expect(contentOf(await askSimulator(simulator, 'text', { path }))).toBe(answerText())
    }
  })

  it('lists the scenarios as models', async () => {
    const { data } = (await readJson('/v1/models')) as { data: { id: string; object: string }[] }
    expect(data.map(model => model.id)).toEqual(SCENARIOS.map(scenario => scenario.name))
  })

  it('answers embeddings, and fails them where the scenario is a fault of any endpoint', async () => {
    const good = (await (await embed('text')).json()) as { data: unknown[] }
    expect(good.data).toHaveLength(1)
    expect((await embed('error?status=429&times=1')).status).toBe(429)
    expect((await embed('error?status=429&times=1')).status).toBe(200)
  })

  it.each([
    ['GET', '/v1/nothing', 404, 'unknown_url'],
    ['GET', '/v1/chat/completions', 404, 'unknown_url'],
    ['POST', '/v1/chat/completions', 400, 'invalid_json'],
    ['POST', '/v1/embeddings', 400, 'invalid_json'],
  ])('%s %s is refused', async (method, path, status, code) => {
    const response = await fetch(new URL(path, simulator.url), { method })
    const body = (await response.json()) as { error: { code: string } }
    expect([response.status, body.error.code]).toEqual([status, code])
  })

  it.each([
    ['text?wrods=3', {}, 'model'],
    ['text?words=many', {}, 'model'],
    ['text?usage=some', {}, 'model'],
    ['text?eol=none', {}, 'model'],
    ['error?status=99', {}, 'model'],
    ['error?retryAfter=%0Aset-cookie:x', {}, 'model'],
    ['tools-loose?variant=none', {}, 'model'],
    ['', {}, 'model'],
    ['text', { messages: [] }, 'messages'],
  ])('refuses %s %j in words', async (model, members, param) => {
    const reply = await askSimulator(simulator, model, { members })
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({ error: { type: 'invalid_request_error', param } })
  })
})

describe('the key', () => {
  it('is demanded where there is one, but not for the numbers', async () => {
    await using guarded = await startSimulator({ apiKey: 'test-key' })
    const wrong = await askSimulator(guarded, 'text', { headers: { authorization: 'Bearer other-key' } })
    const right = await askSimulator(guarded, 'text', { headers: { authorization: 'Bearer test-key' } })
    expect(wrong.status).toBe(401)
    expect(JSON.parse(wrong.text)).toMatchObject({ error: { code: 'invalid_api_key', param: null } })
    expect(right.status).toBe(200)
    expect((await fetch(new URL('/stats', guarded.url))).status).toBe(200)
    expect((await fetch(`${guarded.url}/models`)).status).toBe(401)
  })
})

describe('the choice of a scenario', () => {
  it.each(['llama3', 'qwen/qwen3-coder', '__proto__', 'unknown?after=3'])('%s is an ordinary text', async model => {
    const reply = await askSimulator(simulator, model)
    expect(contentOf(reply)).toBe(answerText())
    expect(reply.text).toContain(JSON.stringify(model))
  })

  it('may be another one for unknown names', async () => {
    await using other = await startSimulator({ defaultScenario: 'error?status=503' })
    expect((await askSimulator(other, 'llama3')).status).toBe(503)
    expect((await askSimulator(other, 'text')).status).toBe(200)
  })

  it('must be one of ours', async () => {
    await expect(startSimulator({ defaultScenario: 'nothing' })).rejects.toThrow(/no scenario/)
    await expect(startSimulator({ defaultScenario: 'text?wrods=1' })).rejects.toThrow(/wrods/)
  })
})

describe('the numbers', () => {
  it('count requests, sockets and bytes, and keep the last request', async () => {
    await askSimulator(simulator, 'text?words=2', { headers: { authorization: 'Bearer test-key', 'x-seen': 'yes' } })
    await simulator.when(stats => stats.socketsOpen === 0)
    const { stats } = simulator
    expect(stats).toMatchObject({ requests: 1, chats: 1, streamsOpen: 0, streamsEnded: 1, streamsAborted: 0 })
    expect(stats.socketsAccepted).toBe(1)
    expect(stats.bytesWritten).toBeGreaterThan(500)
    expect(stats.arrivals).toHaveLength(1)
    expect(stats.lastRequest).toMatchObject({
      method: 'POST',
      path: '/v1/chat/completions',
      authorization: 'Bearer test-key',
      headers: { 'x-seen': 'yes' },
    })
    expect(JSON.parse(stats.lastRequest!.body)).toMatchObject({ model: 'text?words=2', stream: true })
  })

  it('can be read and reset from outside, and do not count themselves', async () => {
    await askSimulator(simulator, 'error?times=1')
    await simulator.when(stats => stats.streamsEnded === 1)
    expect(await readJson('/stats')).toMatchObject({ requests: 1, streamsEnded: 1 })
    expect(await readJson('/stats/reset', { method: 'POST' })).toMatchObject({ requests: 0, lastRequest: null })
    expect((await askSimulator(simulator, 'error?times=1')).status).toBe(500)
  })

  it('count a client that leaves in mid-stream, and say when', async () => {
    const before = performance.timeOrigin + performance.now()
    const controller = new AbortController()
    const asked = askSimulator(simulator, 'text?words=1000000&pace=1', { signal: controller.signal })
    await simulator.when(stats => stats.bytesWritten > 1000)
    expect(simulator.stats.streamsOpen).toBe(1)
    controller.abort()
    await asked.catch(() => {})
    await simulator.when(stats => stats.streamsAborted === 1)
    expect(simulator.stats).toMatchObject({ streamsOpen: 0, streamsEnded: 0 })
    expect(simulator.stats.abortedAt).toBeGreaterThan(before)
  })

  it('are told in a line for each answer', async () => {
    const lines: string[] = []
    await using talking = await startSimulator({ log: line => lines.push(line) })
    await askSimulator(talking, 'error?status=418')
    await talking.when(stats => stats.streamsEnded === 1)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^POST \/v1\/chat\/completions "error\?status=418": 418, ended after \d+ ms, \d+ bytes$/)
  })
})

describe('close', () => {
  it('ends what is open, and leaves no socket', async () => {
    const asked = ['refuse-headers', 'stall', 'text?words=1000000&pace=1', 'text?first=60000'].map(model =>
      askSimulator(simulator, model).catch(() => {}),
    )
    const idle = connect(simulator.port, '127.0.0.1')
    await simulator.when(stats => stats.streamsOpen === 4 && stats.socketsOpen === 5)
    const waiting = simulator.when(() => false)
    await Promise.all([simulator.close(), expect(waiting).rejects.toThrow(/closed/)])
    expect(simulator.stats).toMatchObject({ streamsOpen: 0, socketsOpen: 0 })
    await Promise.all([...asked, once(idle.resume(), 'close')])
    await expect(fetch(`${simulator.url}/models`)).rejects.toThrow('fetch failed')
  })
})
