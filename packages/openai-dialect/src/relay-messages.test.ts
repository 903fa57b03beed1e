import { createReplay, type ReplayedReply } from '@millrace/conformance'
import { parseJsonSource, run, type RelayCall, type Usage } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { relayMessages } from './relay-messages.ts'

const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 }
const SENT = '{"model":"claude-mill-1", "max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}'
const EVENTS = `event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":2}}}\n\nevent: message_stop\ndata: {}\n\n`

interface Told {
  readonly bytes: string
  readonly usage: Usage | undefined
  readonly replay: ReturnType<typeof createReplay>
}

/** What is relayed of this answer. */
async function relayed(
  reply: ReplayedReply,
  { url = 'https://mill.example/v1/messages', body = SENT, stream = true } = {},
): Promise<Told> {
  const replay = createReplay(reply)
  let usage: Usage | undefined
  const call: RelayCall = {
    model: 'large',
    stream,
    source: parseJsonSource(Buffer.from(body)),
    headers: { 'anthropic-beta': 'mill-2026-01-01' },
    signal: new AbortController().signal,
    requestId: 'req_test',
    onUsage: told => (usage = told),
  }
  const service = {
    upstream: replay,
    baseUrl: 'https://chat.example/v1',
    headers: { authorization: 'Bearer test-key' },
    timeouts: TIMEOUTS,
  }
  const pieces: Buffer[] = []
  await run(relayMessages(service, url, call), piece => void pieces.push(piece))
  return { bytes: Buffer.concat(pieces).toString(), usage, replay }
}

const reads = (text: string): Buffer[] => [Buffer.from(text)]

describe('the request', () => {
  test.each(['https://mill.example/v1/messages', 'https://mill.example/v1/', 'https://mill.example/v1'])(
    'goes to %s as it came, but for the model',
    async url => {
      const { replay } = await relayed({ reads: reads(EVENTS) }, { url })
      const [asked] = replay.asked
      expect(asked!.url.href).toBe('https://mill.example/v1/messages')
      expect(asked!.body!.toString()).toBe(
        '{"max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}],"model":"large"}',
      )
      expect(asked!.headers).toMatchObject({
        authorization: 'Bearer test-key',
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'mill-2026-01-01',
        accept: 'text/event-stream',
      })
    },
  )

  test('asks for no stream where none can be given', async () => {
    const { replay } = await relayed({ reads: reads('{"type":"message"}') }, { stream: false })
    expect(JSON.parse(replay.asked[0]!.body!.toString())).toMatchObject({ stream: false, model: 'large' })
  })
})

describe('the answer', () => {
  test('is a stream, with the usage', async () => {
    const { bytes, usage } = await relayed({ reads: reads(EVENTS), ending: 'silence' })
    expect(bytes).toBe(EVENTS)
    expect(usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 0 })
  })

  test('is one message, to the byte, with the usage', async () => {
    const message = '{ "type":"message", "usage":{"input_tokens":2,"output_tokens":3} }\n'
    const { bytes, usage } = await relayed({ reads: reads(message) }, { stream: false })
    expect(bytes).toBe(message)
    expect(usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 })
  })

  test.each<[string, ReplayedReply, boolean, string]>([
    [
      'a status',
      { status: 529, reads: reads('{"type":"error","error":{"type":"overloaded_error","message":"Busy."}}') },
      true,
      'upstream_overloaded',
    ],
    [
      'a refused key',
      { status: 401, reads: reads('{"type":"error","error":{"type":"authentication_error","message":"No."}}') },
      false,
      'upstream_auth_failed',
    ],
    ['a stream that is cut short', { reads: reads(EVENTS.slice(0, -20)) }, true, 'upstream_truncated'],
    ['something else than a message', { reads: reads('[]') }, false, 'upstream_bad_response'],
    [
      'an error with status 200',
      { reads: reads('{"type":"error","error":{"type":"rate_limit_error","message":"Slowly."}}') },
      false,
      'rate_limit_exceeded',
    ],
  ])('is a failure: %s', async (_, reply, stream, code) => {
    await expect(relayed(reply, { stream })).rejects.toMatchObject({ code })
  })
})
