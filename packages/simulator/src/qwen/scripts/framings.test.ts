import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Reply } from '../../ask-simulator.ts'
import { askQwen } from '../ask-qwen.ts'
import { startQwenSimulator } from '../qwen-simulator.ts'
import type { QwenSimulator } from '../qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const script = (wish: string): Promise<Reply> => askQwen(simulator, `qwen3-coder-plus?script=${wish}`)

describe('the framing', () => {
  it.each([
    ['crlf', /\r\n\r\n/, (text: string) => text.replaceAll('\r\n', '\n')],
    ['cr', /^[^\n]*$/, (text: string) => text.replaceAll('\r', '\n')],
    ['no-space', /^data:\{/, (text: string) => text.replaceAll('data:', 'data: ')],
    ['no-blank-lines', /\}\ndata:/, (text: string) => text.replaceAll('\n', '\n\n')],
    [
      'native-lines',
      /^id:1\nevent:result\n:HTTP_STATUS\/200\ndata:\{/,
      (text: string) => text.replace(/^(?:id|event|:HTTP).*\n/gm, '').replaceAll('data:', 'data: '),
    ],
  ])('%s says the same', async (name, pattern, restored) => {
    const reply = await script(name)
    expect(reply.text).toMatch(pattern)
    expect(
      restored(reply.text)
        .replaceAll(`script=${name}`, 'script=text')
        .replace(/id:\d+\n\n$/, ''),
    ).toBe((await script('text')).text)
  })

  it('one-byte', async () => {
    const { pieces, text } = await script('one-byte')
    expect(pieces.every(piece => piece.length === 1)).toBe(true)
    expect(text.replaceAll('one-byte', 'text')).toBe((await script('text')).text)
  })

  it('comments', async () => {
    const { text } = await script('comments')
    expect(text).toContain(': keep-alive')
    expect(text.split('\n').filter(line => line.startsWith('data: {'))).toHaveLength(23)
  })

  it('data-lines', async () => {
    const [first] = (await script('data-lines')).text.split('\n\n')
    const lines = first!.split('\n')
    expect(lines.length).toBeGreaterThan(5)
    expect(JSON.parse(lines.map(line => line.slice(6)).join('\n'))).toMatchObject({ object: 'chat.completion.chunk' })
  })

  it('one-write', async () => {
    const { pieces, text } = await script('one-write')
    expect([pieces.length >= 1, text.length > 64 * 1024]).toEqual([true, true])
    expect(await firstChunkSize('one-write')).toBe(text.length)
  })

  it('split-characters cuts within each character of several bytes', async () => {
    const { pieces, text } = await script('split-characters')
    expect(text).toContain('🍓')
    expect(pieces.filter(piece => (piece[0]! & 0xc0) === 0x80)).toHaveLength(
      Buffer.from(text).filter(byte => (byte & 0xc0) === 0x80).length,
    )
    expect((await script('unicode')).text.replaceAll('unicode', 'split-characters')).toBe(text)
  })
})

/** The size that the first chunk of HTTP says it has. */
async function firstChunkSize(name: string): Promise<number> {
  const body = JSON.stringify({
    model: `qwen3-coder-plus?script=${name}`,
    stream: true,
    messages: [{ role: 'user', content: 'Does the mill run?' }],
    stream_options: { include_usage: true },
  })
  const socket = connect(simulator.port, '127.0.0.1')
  socket.write(
    `POST /compatible-mode/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-test-1\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  let text = ''
  socket.on('data', piece => (text += piece.toString()))
  await once(socket, 'end')
  socket.destroy()
  return parseInt(/\r\n\r\n([\da-f]+)\r\n/.exec(text)![1]!, 16)
}
