import { UpstreamError, type Usage } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { createMessageEvents } from './message-events.ts'

const EVENTS = [
  {
    type: 'message_start',
    message: { id: 'msg_1', usage: { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 1 } },
  },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'event: message_stop\n\nMühle' } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
]
const ERROR = { type: 'error', error: { type: 'overloaded_error', message: 'The mill is busy.' } }

function encode(events: readonly object[], lineEnd = '\n'): Buffer {
  const lines = events.flatMap(event => [
    `event: ${(event as { type: string }).type}`,
    `data: ${JSON.stringify(event)}`,
    '',
  ])
  return Buffer.from([...lines, ''].join(lineEnd))
}

/** What goes on of these reads, and how it ends. */
function passed(reads: readonly Buffer[]): {
  readonly bytes: string
  readonly pieces: string[]
  readonly usage: Usage | undefined
  readonly failure: unknown
} {
  let usage: Usage | undefined
  const events = createMessageEvents(told => (usage = told))
  const pieces: string[] = []
  let failure: unknown
  try {
    for (const read of reads) if (!events.isOver()) pieces.push(events.push(read).toString())
    events.end()
  } catch (error) {
    failure = error
  }
  return { bytes: pieces.join(''), pieces: pieces.filter(Boolean), usage, failure }
}

describe('a good stream', () => {
  test.each(['\n', '\r\n'])('goes on byte for byte wherever it is cut, in whole events (lines end in %j)', lineEnd => {
    const bytes = encode(EVENTS, lineEnd)
    for (let at = 0; at <= bytes.length; at++) {
      const seen = passed([bytes.subarray(0, at), bytes.subarray(at)])
      expect(seen.failure).toBeUndefined()
      expect(seen.bytes).toBe(bytes.toString())
      expect(seen.pieces.every(piece => piece.endsWith(lineEnd + lineEnd))).toBe(true)
    }
    expect(passed(Array.from(bytes, byte => Buffer.of(byte))).bytes).toBe(bytes.toString())
  })

  test('tells its usage, whatever was read from a cache among it', () => {
    expect(passed([encode(EVENTS)]).usage).toEqual({
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 0 },
    })
  })

  test('ends with its last event', () => {
    const bytes = encode(EVENTS)
    expect(passed([Buffer.concat([bytes, Buffer.from('data: [DONE]\n\n')])]).bytes).toBe(bytes.toString())
  })
})

describe('a failure', () => {
  test('that is reported is what the upstream says, behind what came before', () => {
    const { bytes, failure } = passed([encode([...EVENTS.slice(0, 3), ERROR])])
    expect(bytes).toBe(encode(EVENTS.slice(0, 3)).toString())
    expect(failure).toBeInstanceOf(UpstreamError)
    expect(failure).toMatchObject({ code: 'upstream_overloaded', message: 'The mill is busy.' })
  })

  test('is every end before the last event, and half an event counts for nothing', () => {
    const bytes = encode(EVENTS)
    for (let length = 0; length < bytes.length; length++) {
      const seen = passed([bytes.subarray(0, length)])
      expect(seen.failure).toMatchObject({ code: 'upstream_truncated' })
      expect(bytes.toString().startsWith(seen.bytes)).toBe(true)
      expect(seen.bytes === '' || seen.bytes.endsWith('\n\n')).toBe(true)
    }
  })

  test.each([
    ['an event without JSON', 'event: message_delta\ndata: {\n\n', 'upstream_malformed'],
    ['a web page', '<html><body>Hello</body></html>', 'upstream_bad_response'],
    ['a whole answer', '{"type":"message"}', 'upstream_bad_response'],
    ['JSON that says why', '{"error":{"type":"rate_limit_error","message":"Slowly."}}', 'rate_limit_exceeded'],
  ])('%s', (_, text, code) => {
    expect(passed([Buffer.from(text)]).failure).toMatchObject({ code })
  })
})
