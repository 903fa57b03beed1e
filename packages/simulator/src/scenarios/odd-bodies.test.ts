import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator, contentOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { startSimulator } from '../simulator.ts'
import type { Simulator } from '../simulator.ts'
import { answerText } from '../words.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const ask = (model: string, stream = true): Promise<Reply> => askSimulator(simulator, model, { stream })

describe('answers that were not asked for', () => {
  it('json is whole, sse is a stream, whatever the request says', async () => {
    const whole = await ask('json')
    expect(whole.headers['content-type']).toBe('application/json')
    expect(JSON.parse(whole.text)).toMatchObject({ choices: [{ message: { content: answerText() } }] })
    const stream = await ask('sse', false)
    expect(stream.headers['content-type']).toMatch(/^text\/event-stream/)
    expect(contentOf(stream)).toBe(answerText())
  })

  it('html is a page, with any status', async () => {
    for (const status of [200, 502, 524]) {
      const reply = await ask(`html?status=${status}`)
      expect([reply.status, reply.headers['content-type']]).toEqual([status, 'text/html'])
      expect(reply.text).toMatch(/^<!DOCTYPE html>/)
    }
  })

  it('empty has no body', async () => {
    const nothing = await ask('empty')
    expect([nothing.status, nothing.text, nothing.headers['content-length']]).toEqual([200, '', '0'])
    const none = await ask('empty?status=204')
    expect([none.status, none.text, none.headers['content-length']]).toEqual([204, '', undefined])
  })

  it('redirect names another place', async () => {
    const usual = await ask('redirect')
    expect([usual.status, usual.headers.location]).toEqual([302, 'http://169.254.169.254/latest/meta-data/'])
    const other = await ask('redirect?status=308&to=http://127.0.0.1:9/v1')
    expect([other.status, other.headers.location]).toEqual([308, 'http://127.0.0.1:9/v1'])
  })

  it('any answer can have another content type', async () => {
    expect((await ask('text?type=text/plain')).headers['content-type']).toBe('text/plain')
    expect((await ask('text?type=text/plain', false)).headers['content-type']).toBe('text/plain')
  })

  it('evil-headers come with an ordinary answer', async () => {
    const reply = await ask('evil-headers')
    expect(contentOf(reply)).toBe(answerText())
    expect(reply.headers['set-cookie']).toHaveLength(2)
    expect(reply.headers).toMatchObject({
      connection: 'keep-alive, x-internal-hop',
      'x-internal-token': 'simulated-internal-token',
      'content-security-policy': "default-src 'none'",
    })
  })

  it('evil-headers can be many and large', async () => {
    const { headers } = await ask('evil-headers?count=200&bytes=1048576')
    const filling = Object.keys(headers).filter(name => name.startsWith('x-filling-'))
    expect(filling).toHaveLength(200)
    expect(filling.reduce((sum, name) => sum + String(headers[name]).length, 0)).toBeGreaterThanOrEqual(1_048_576)
  })
})
