import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callsOf, chunksOf, contentOf, dataOf, finishesOf } from '../../ask-simulator.ts'
import type { Reply } from '../../ask-simulator.ts'
import { answerText } from '../../words.ts'
import { askQwen, faultOf } from '../ask-qwen.ts'
import type { QwenAskOptions } from '../ask-qwen.ts'
import { startQwenSimulator } from '../qwen-simulator.ts'
import type { QwenSimulator } from '../qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const script = (wish: string, options: QwenAskOptions = {}): Promise<Reply> =>
  askQwen(simulator, `qwen3-coder-plus?script=${wish}`, options)

/** What the error looks like on the wire, in each shape. */
const SHAPES = {
  a: /id:\d\nevent:error\n:HTTP_STATUS\/429\ndata:\{"request_id":"[\w-]+","code":"Throttling.AllocationQuota","message":"Allocated quota exceeded[^}]*\}\n\n$/,
  b: /data: \{"error":\{"code":"insufficient_quota",[^}]*\},"id":"chatcmpl-[\w-]+","request_id":"[\w-]+"\}\n\ndata: \[DONE\]\n\n$/,
  c: /"delta":\{"content":"Allocated quota[^}]*\},"finish_reason":"error_finish"[^\n]*\n\ndata: \[DONE\]\n\n$/,
  d: /(?:^|\n)\{"error":\{"code":"insufficient_quota",[^\n]*\}\n$/,
  'd-flat': /(?:^|\n)\{"code":"Throttling.AllocationQuota","message":[^\n]*\}\n$/,
  e: /<!DOCTYPE html>.*aliyun_waf_.*<\/html>\n$/s,
} as const

/** What has come before it: whether the role, what text, what of a tool's arguments. */
const PLACES = {
  start: [false, '', []],
  role: [true, '', []],
  content: [true, answerText(2), []],
  tool: [true, '', ['', '{"city":', '"Berlin"']],
} as const

/** Without what is no data line, and without the error in the text. */
function readable(reply: Reply): Reply {
  const text = reply.text
    .split('\n\n')
    .filter(event => event.startsWith('data: {"choices"') && !event.includes('error_finish'))
    .join('\n\n')
  return { ...reply, text }
}

describe('an error inside a stream', () => {
  const cases = Object.entries(SHAPES).flatMap(([frame, pattern]) =>
    Object.entries(PLACES).map(([at, before]) => [frame, at, pattern, before] as const),
  )

  it.each(cases)('in shape %s, at %s', async (frame, at, pattern, before) => {
    const reply = await script(`error-frame&frame=${frame}&at=${at}`)
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(reply.text).toMatch(pattern)
    const args = callsOf(readable(reply)).map(call => call.function.arguments)
    expect([reply.text.includes('"role"'), contentOf(readable(reply)), args]).toEqual(before)
  })

  it('may be any of the catalogue, in other words', async () => {
    const { text } = await script('error-frame&frame=b&at=start&error=inspected-output')
    expect(JSON.parse(dataOf(text)[0]!)).toMatchObject({ error: { code: 'data_inspection_failed' } })
    expect((await script('error-frame&error=serving-error&message=Full.')).text).toMatch(/503\ndata:.*"Full\."/)
  })

  it('is numbered as the event that it is', async () => {
    expect((await script('error-frame&at=start')).text).toMatch(/^id:1\n/)
    expect((await script('error-frame&at=content')).text).toMatch(/\nid:4\n/)
  })

  it('is JSON with a good status where no stream is asked for', async () => {
    expect(faultOf(await script('error-frame&error=rate-limit', { stream: false }))).toEqual([
      200,
      'limit_requests',
      'Requests rate limit exceeded, please try again later.',
    ])
  })
})

describe('answers that are none', () => {
  it('error-finish is a throttle before any text', async () => {
    const reply = await script('error-finish')
    expect(chunksOf(reply)).toHaveLength(2)
    expect([contentOf(reply), finishesOf(reply)]).toEqual(['Throttling: TPM(1000000/1000000)', ['error_finish']])
  })

  it('limit-json, json and html are no streams', async () => {
    const limit = await script('limit-json&error=free-quota')
    expect(JSON.parse(limit.text)).toEqual({ message: 'Free allocated quota exceeded.', success: false })
    const json = await script('json')
    expect(JSON.parse(json.text)).toMatchObject({ choices: [{ message: { content: answerText() } }] })
    for (const reply of [limit, json]) {
      expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json'])
    }
    const html = await script('html&waf=1')
    expect([html.status, html.headers['content-type']]).toEqual([200, 'text/html'])
    expect(html.text).toContain('aliyun_waf_')
    expect((await script('html')).text).not.toContain('aliyun_waf_')
  })
})

describe('connections that fail', () => {
  it.each(['reset', 'drop'])('%s breaks off in mid-stream', async name => {
    for (const stream of [true, false]) {
      const reply = await script(`${name}&after=400`, { stream })
      expect([reply.status, reply.error, reply.text.length]).toEqual([200, 'ECONNRESET', 400])
    }
  })

  it('silence says nothing at all', async () => {
    const controller = new AbortController()
    const asked = script('silence', { signal: controller.signal })
    await simulator.when(({ stats }) => stats.streamsOpen === 1)
    controller.abort()
    await expect(asked).rejects.toThrow(/aborted/)
    await simulator.when(({ stats }) => stats.streamsOpen === 0)
  })

  it.each([
    ['stall', 3],
    ['stall&after=0', 0],
  ])('%s stops after %i events', async (wish, count) => {
    const before = simulator.stats.bytesWritten
    const controller = new AbortController()
    const response = await fetch(`${simulator.baseUrls['singapore/payg']}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test-1', 'x-simulate': `script=${wish}` },
      body: JSON.stringify({ model: 'qwen3-coder-plus', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
      signal: controller.signal,
    })
    expect(response.status).toBe(200)
    let text = ''
    const reader = response.body!.getReader()
    while (dataOf(text).length < count) text += Buffer.from((await reader.read()).value!).toString()
    const { streamsOpen, bytesWritten } = simulator.stats
    expect([dataOf(text).length, streamsOpen, bytesWritten > before]).toEqual([count, 1, count > 0])
    controller.abort()
    await simulator.when(({ stats }) => stats.streamsOpen === 0)
  })
})
