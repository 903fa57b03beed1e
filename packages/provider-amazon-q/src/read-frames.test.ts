import { createReplay } from '@millrace/conformance'
import { UpstreamError, type UpstreamReply } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { readFrames } from './read-frames.ts'
import { event, message, saying } from './testing/messages.ts'

const HEAD = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'millrace-text-4f1c9e', includeUsage: false }
const OPTIONS = {
  head: HEAD,
  model: '',
  toolNames: new Map([['short', 'the.long/name']]),
  thinks: false,
  toError: () => new UpstreamError('upstream_error', 'Reported.'),
  mayBeEmpty: false,
}

async function read(...reads: readonly Buffer[]): Promise<{ readonly deltas: object[]; readonly failure: unknown }> {
  const signal = new AbortController().signal
  const request = { method: 'GET', url: new URL('http://q.test/'), headers: {}, requestId: 'r', signal } as const
  const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 }
  const reply: UpstreamReply = await createReplay({ reads }).request({ ...request, timeouts })
  const deltas: object[] = []
  try {
    for await (const batch of readFrames(reply, OPTIONS)) {
      for (const { chunk } of batch) deltas.push(...chunk.choices.map(({ delta }) => delta))
    }
  } catch (failure) {
    return { deltas, failure }
  }
  return { deltas, failure: undefined }
}

const SAID = [{ role: 'assistant', content: '' }, { content: 'One' }]

describe('a fault', () => {
  test.each<[what: string, bytes: Buffer]>([
    ['a message of no type', message({ ':event-type': 'assistantResponseEvent' }, { content: 'Two' })],
    ['a message of another type', message({ ':message-type': 'question' })],
    ['an event that is no JSON', event('assistantResponseEvent', '{"content":"Two')],
    ['an event that is a list', event('assistantResponseEvent', [])],
    ['a page', Buffer.from('<html></html>')],
    ['a call that no event names', event('toolUseEvent', { toolUseId: 't', stop: true })],
    [
      'more calls than there may be',
      Buffer.concat(
        Array.from({ length: 129 }, (_, at) => event('toolUseEvent', { toolUseId: `t${at}`, name: 'x', stop: true })),
      ),
    ],
  ])('%s ends the answer where it stands', async (_what, bytes) => {
    const { deltas, failure } = await read(Buffer.concat([saying('One'), bytes, saying('Three')]))
    expect(failure).toMatchObject({ code: 'upstream_malformed' })
    expect(deltas.slice(0, 2)).toEqual(SAID)
    expect(JSON.stringify(deltas)).not.toMatch(/Two|Three/)
  })

  test('in what nobody needs to understand is none', async () => {
    const odd = [event('brandNewEvent', 'no JSON'), event('constructor', {}), event('__proto__', { content: 'x' })]
    expect(await read(saying('One'), ...odd)).toEqual({ deltas: [...SAID, {}], failure: undefined })
  })

  test('told in JSON is read no further than words need', async () => {
    const endless = Buffer.alloc(65_536, 'x')
    expect(await read(Buffer.from('{"x":"'), endless, endless)).toMatchObject({
      failure: { code: 'upstream_bad_response' },
    })
    expect(await read(Buffer.from('{"message":"No."}'))).toMatchObject({ failure: { message: 'Reported.' } })
    expect(await read(Buffer.from('{"ok":true}'))).toMatchObject({ failure: { code: 'upstream_bad_response' } })
  })
})

test('tools get back the names that the client gave them', async () => {
  const { deltas } = await read(event('toolUseEvent', { toolUseId: 't', name: 'short', stop: true }))
  expect(deltas[1]).toMatchObject({ tool_calls: [{ function: { name: 'the.long/name' } }] })
})

test('arguments that name hostile members are handed on as they are', async () => {
  const input = '{"__proto__":{"polluted":true}}'
  const { deltas } = await read(event('toolUseEvent', { toolUseId: '__proto__', name: '__proto__', input, stop: true }))
  expect(deltas[2]).toEqual({ tool_calls: [{ index: 0, function: { arguments: input } }] })
  expect({}).not.toHaveProperty('polluted')
})
