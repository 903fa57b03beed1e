import type { Upstream, UpstreamRequest } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { createTrace } from './trace.ts'

const REQUEST: UpstreamRequest = {
  method: 'POST',
  url: new URL('https://api.example/v1/chat/completions?key=secret-in-url'),
  headers: { authorization: 'Bearer secret-key-0001' },
  body: Buffer.from('{"user":"miller"}'),
  timeouts: { connect: 1, firstByte: 1, idle: 1, total: 1 },
  requestId: 'request-1',
  signal: new AbortController().signal,
}

/** An upstream that answers with these reads; `told` is what it is told about its end. */
function answering(reads: readonly string[], told: number[] = []): Upstream {
  return {
    request: async () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: {
        endWithin: ms => void told.push(ms),
        async *[Symbol.asyncIterator]() {
          for (const read of reads) yield Buffer.from(read)
        },
      },
    }),
  }
}

/** The lines without their times. */
function untimed(lines: readonly string[]): string[] {
  return lines.map(line => line.replace(/^[\d.]+ ms /, ''))
}

describe('a trace', () => {
  test('shows what went where, each read for itself', async () => {
    const lines: string[] = []
    const trace = createTrace(line => lines.push(line), [])
    const { body } = await trace.wrap(answering(['data: 1\n\n', 'data: 2\n\n'])).request(REQUEST)
    expect((await Array.fromAsync(body)).join('')).toBe('data: 1\n\ndata: 2\n\n')
    trace.out('request-1', Buffer.from('data: [DONE]\n\n'))
    for (const line of lines) expect(line).toMatch(/^\d+\.\d ms request-1 [→←]/)
    expect(untimed(lines)).toEqual([
      String.raw`request-1 → upstream POST https://api.example/v1/chat/completions 17 B "{\"user\":\"miller\"}"`,
      'request-1 ← upstream 200 text/event-stream 0 B ""',
      String.raw`request-1 ← upstream 9 B "data: 1\n\n"`,
      String.raw`request-1 ← upstream 9 B "data: 2\n\n"`,
      String.raw`request-1 → client 14 B "data: [DONE]\n\n"`,
    ])
  })

  test('shows nothing of what is said with a sign-in server', async () => {
    const lines: string[] = []
    const trace = createTrace(line => lines.push(line), [])
    const { body } = await trace
      .wrap(answering(['{"access_token":"a-token"}']))
      .request({ ...REQUEST, confidential: true })
    expect((await Array.fromAsync(body)).join('')).toBe('{"access_token":"a-token"}')
    expect(lines.join('\n')).not.toMatch(/miller|a-token/)
    expect(lines).toHaveLength(3)
  })

  test('hands on what is said about the end', async () => {
    const told: number[] = []
    const { body } = await createTrace(() => undefined, [])
      .wrap(answering([], told))
      .request(REQUEST)
    body.endWithin(250)
    expect(told).toEqual([250])
  })

  test('shows no secret, however it is written, nor what stands behind the path of a URL', async () => {
    const lines: string[] = []
    const secrets = ['secret-key-0001', '"quoted\nsecret"']
    const trace = createTrace(line => lines.push(line), secrets)
    const { body } = await trace.wrap(answering(['echo: secret-key-0001 and secret-key-0001'])).request(REQUEST)
    await Array.fromAsync(body)
    trace.out('request-1', 'secret-key-0001, and "quoted\nsecret"')
    expect(lines.join('\n')).not.toMatch(/secret|quoted/)
    expect(lines.join('\n').match(/\[masked\]/g)).toHaveLength(4)
  })

  test('shows the beginning of what is long, and no half of a secret', () => {
    const lines: string[] = []
    const trace = createTrace(line => lines.push(line), ['secret-key-0001'])
    trace.out('request-1', `${'x'.repeat(1990)}secret-key-0001${'y'.repeat(5000)}`)
    expect(lines[0]!.length).toBeLessThan(2100)
    expect(lines[0]).toMatch(/ 7005 B /)
    expect(lines[0]).not.toContain('secret')
    expect(lines[0]!.endsWith(' …')).toBe(true)
  })
})
