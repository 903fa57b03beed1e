import { once } from 'node:events'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askSimulator, contentOf, dataOf } from './ask-simulator.ts'
import { startSimulator } from './simulator.ts'
import type { Simulator } from './simulator.ts'
import { answerText } from './words.ts'

let simulator: Simulator
beforeEach(async () => {
  simulator = await startSimulator()
})
afterEach(() => simulator.close())

/** Asks, waits until what has come is enough, leaves, and says what had come. */
async function leaveAfter(model: string, enough: RegExp, stream = true): Promise<{ status: number; text: string }> {
  const controller = new AbortController()
  const response = await fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] }),
    signal: controller.signal,
  })
  let text = ''
  const reader = response.body!.getReader()
  while (!enough.test(text)) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`The answer ended after ${text.length} bytes.`)
    text += Buffer.from(value).toString()
  }
  controller.abort()
  await simulator.when(stats => stats.streamsAborted === 1)
  return { status: response.status, text }
}

/** Writes `text` on a connection of its own, and returns all that comes back. */
async function exchange(text: string): Promise<string> {
  const socket = connect(simulator.port, '127.0.0.1')
  let received = ''
  socket.on('data', piece => (received += piece.toString()))
  socket.write(text)
  await once(socket, 'end')
  socket.destroy()
  return received
}

function toPost(model: string, version: string, connection: string): string {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] })
  return `POST /v1/chat/completions HTTP/${version}\r\nhost: x\r\nconnection: ${connection}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** How long an answer of three words takes, in milliseconds. */
async function timeOf(model: string): Promise<number> {
  const began = performance.now()
  expect(contentOf(await askSimulator(simulator, model))).toBe(answerText(3))
  return performance.now() - began
}

describe('answers that break off', () => {
  it.each([
    ['reset', 'ECONNRESET'],
    ['drop', 'ECONNRESET'],
    ['cut', null],
  ])('%s sends as many bytes as were asked for', async (name, error) => {
    for (const after of [1, 120, 1000]) {
      const reply = await askSimulator(simulator, `${name}?after=${after}`)
      expect([reply.status, reply.text.length, reply.error]).toEqual([200, after, error])
    }
    await simulator.when(stats => stats.streamsEnded === 3)
    expect(simulator.stats.streamsAborted).toBe(0)
  })

  it.each(['reset', 'drop', 'cut'])('%s breaks an event in two where nothing else is said', async name => {
    const { text } = await askSimulator(simulator, name)
    expect(text).toMatch(/data: [^\n]+$/)
    expect(text).not.toContain('[DONE]')
  })

  it.each(['reset', 'drop', 'cut'])('%s breaks a whole answer too', async name => {
    const reply = await askSimulator(simulator, name, { stream: false })
    expect(() => JSON.parse(reply.text)).toThrow(SyntaxError)
    expect(reply.error).toBe(name === 'cut' ? null : 'ECONNRESET')
  })

  it('tells a reset from a close', async () => {
    const ends: string[] = []
    for (const name of ['reset', 'drop']) {
      const socket = connect(simulator.port, '127.0.0.1')
      socket.on('error', error => ends.push(`${name} ${(error as NodeJS.ErrnoException).code}`))
      socket.on('end', () => ends.push(`${name} end`))
      const body = JSON.stringify({ model: name, stream: true, messages: [{ role: 'user', content: 'hello' }] })
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
      socket.resume()
      await new Promise(resolve => socket.once('close', resolve))
    }
    expect(ends).toEqual(['reset ECONNRESET', 'drop end'])
  })

  it('truncated-json sends less than it says', async () => {
    const reply = await askSimulator(simulator, 'truncated-json')
    expect(reply.headers['content-type']).toBe('application/json')
    expect(Number(reply.headers['content-length'])).toBeGreaterThan(reply.text.length)
    expect(reply.error).toBe('ECONNRESET')
  })

  it('no-finish ends well, without a finish and without [DONE]', async () => {
    const reply = await askSimulator(simulator, 'no-finish')
    expect([reply.error, contentOf(reply)]).toEqual([null, answerText()])
    expect(reply.text).not.toMatch(/"finish_reason":"|\[DONE\]/)
    expect(reply.text.endsWith('\n\n')).toBe(true)
  })
})

describe('answers that do not go on', () => {
  it('refuse-headers says nothing', async () => {
    const controller = new AbortController()
    const asked = askSimulator(simulator, 'refuse-headers', { signal: controller.signal })
    await simulator.when(stats => stats.streamsOpen === 1)
    controller.abort()
    await expect(asked).rejects.toThrow(/aborted/)
    await simulator.when(stats => stats.streamsAborted === 1)
    expect(simulator.stats.bytesWritten).toBe(0)
  })

  it.each([
    ['hangup', /socket hang up/],
    ['hangup?how=reset', /ECONNRESET/],
  ])('%s closes the connection instead', async (model, message) => {
    await expect(askSimulator(simulator, model)).rejects.toThrow(message)
    await simulator.when(stats => stats.streamsEnded === 1)
    expect(simulator.stats.bytesWritten).toBe(0)
  })

  it('hangup may happen only the first few times', async () => {
    await expect(askSimulator(simulator, 'hangup?times=1')).rejects.toThrow(/hang up/)
    expect(contentOf(await askSimulator(simulator, 'hangup?times=1'))).toBe(answerText())
  })

  it('stall falls silent after some events, or after the headers', async () => {
    const { text } = await leaveAfter('stall?after=3', /(data: .*\n\n){3}/)
    expect(dataOf(text)).toHaveLength(3)
    expect(text.endsWith('\n\n')).toBe(true)
  })

  it('stall can send the headers alone', async () => {
    expect(await leaveAfter('stall?after=0', /^/)).toEqual({ status: 200, text: '' })
  })

  it('stall stops in the middle of a whole answer', async () => {
    const { text } = await leaveAfter('stall', /^.{100}/, false)
    expect(text).toMatch(/^\{"id"/)
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
  })

  it('done=open keeps the socket after [DONE]', async () => {
    const { text } = await leaveAfter('text?words=1&done=open', /\[DONE\]\n\n/)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it.each(['text?first=60000', 'trickle'])('%s stops waiting when the client leaves', async model => {
    const controller = new AbortController()
    const asked = askSimulator(simulator, model, { signal: controller.signal })
    await simulator.when(stats => stats.streamsOpen === 1)
    controller.abort()
    await asked.catch(() => {})
    await simulator.when(stats => stats.streamsAborted === 1)
    expect(simulator.stats.bytesWritten).toBeLessThan(20)
  })
})

describe('the pace', () => {
  it('waits between writes, before the headers, and before the first event', async () => {
    expect(await timeOf('text?words=3&pace=20')).toBeGreaterThan(5 * 19)
    expect(await timeOf('text?words=3&first=60')).toBeGreaterThan(58)
    expect(await timeOf('text?words=3&firstEvent=60')).toBeGreaterThan(58)
  })

  it('splits into writes of so many bytes, and the answer is the same', async () => {
    for (const model of ['text?words=4&split=1', 'text?words=4&split=3&eol=crlf', 'text?words=4&split=7&bom=1']) {
      const size = Number(/split=(\d)/.exec(model)![1])
      const reply = await askSimulator(simulator, model)
      expect(contentOf(reply)).toBe(answerText(4))
      expect(reply.pieces.every(piece => piece.length <= size)).toBe(true)
    }
  })

  it('trickles some bytes, or all of them', async () => {
    const all = await askSimulator(simulator, 'trickle?pace=0&words=1')
    const some = await askSimulator(simulator, 'trickle?pace=1&words=1&bytes=9')
    expect(all.pieces.every(piece => piece.length === 1)).toBe(true)
    expect(some.pieces.slice(0, 9).join('')).toBe('data: {"i')
    expect(some.pieces).toHaveLength(10)
    expect([contentOf(all), contentOf(some)]).toEqual(['the', 'the'])
  })

  it('does not run ahead of a client that does not read', async () => {
    const response = await fetch(`${simulator.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'big-line?bytes=1e9', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
    })
    await simulator.when(stats => stats.bytesWritten > 100_000)
    // A round trip through the same process: whatever the simulator could write at once, it has written by then.
    await askSimulator(simulator, 'text?words=1')
    expect(simulator.stats.bytesWritten).toBeLessThan(64 * 1024 * 1024)
    await response.body!.cancel()
  })
})

describe('other ways of HTTP', () => {
  it('speaks without chunks to HTTP/1.0', async () => {
    const text = await exchange(toPost('text?words=1', '1.0', 'close'))
    expect(text).not.toMatch(/transfer-encoding/i)
    expect(text).toMatch(/\r\n\r\ndata: \{.*data: \[DONE\]\n\n$/s)
  })

  it('answers pipelined requests one after the other', async () => {
    const text = await exchange(toPost('text?words=3&pace=1', '1.1', 'keep-alive') + toPost('html', '1.1', 'close'))
    expect(text).toMatch(/^HTTP\/1.1 200 .*\[DONE\].*0\r\n\r\nHTTP\/1.1 502 .*<\/html>\n$/s)
  })

  it('compresses as often as told, and packs much into little', async () => {
    const once = await askSimulator(simulator, 'gzip')
    expect(once.headers['content-encoding']).toBe('gzip')
    expect(dataOf(gunzipSync(Buffer.concat(once.pieces)).toString()).at(-1)).toBe('[DONE]')
    const twice = await askSimulator(simulator, 'gzip?layers=2')
    expect(twice.headers['content-encoding']).toBe('gzip, gzip')
    expect(gunzipSync(gunzipSync(Buffer.concat(twice.pieces))).toString()).toContain('[DONE]')
    const bomb = await askSimulator(simulator, 'gzip?bomb=10000000')
    expect(Buffer.concat(bomb.pieces).length).toBeLessThan(100_000)
    expect(gunzipSync(Buffer.concat(bomb.pieces)).length).toBeGreaterThan(10_000_000)
  })
})
