import { describe, expect, test } from 'vitest'
import { readFrames } from './frames.ts'
import { data, event, gather, HEAD, hello, replyOf, said, sse, type Outcome } from './testing/replay.ts'

const read = (stream: string): Promise<Outcome> => gather(readFrames(replyOf([stream]), HEAD))

describe('finish reasons (§1.7)', () => {
  const call = event({
    tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
  })
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [
      'stop',
      [
        'stop',
        'eos',
        'eos_token',
        'end_turn',
        'stop_sequence',
        'STOP',
        'COMPLETE',
        'OTHER',
        'word',
        'pause_turn',
        'done',
        'no_such_word',
      ],
    ],
    ['length', ['length', 'max_tokens', 'MAX_TOKENS', 'model_length', 'limit', 'model_context_window_exceeded']],
    [
      'content_filter',
      [
        'content_filter',
        'content_filtered',
        'SAFETY',
        'BLOCKLIST',
        'PROHIBITED_CONTENT',
        'SPII',
        'IMAGE_SAFETY',
        'guardrail_intervened',
        'refusal',
        'sensitive',
      ],
    ],
  ]
  const words = rows.flatMap(([reason, list]) => list.map(word => [word, reason] as const))

  test.each(words)('%s is %s', async (word, reason) => {
    expect(said((await read(sse(hello, event({}, word)))).chunks).finish).toBe(reason)
    // Called tools are the reason for a normal end, but not for one forced.
    const withCall = said((await read(sse(call, event({}, word)))).chunks).finish
    expect(withCall).toBe(reason === 'stop' ? 'tool_calls' : reason)
  })

  test.each(['tool_calls', 'tool_use', 'function_call', 'TOOL_CALL'])(
    '%s is tool_calls where there are any',
    async word => {
      expect(said((await read(sse(call, event({}, word)))).chunks).finish).toBe('tool_calls')
      expect(said((await read(sse(hello, event({}, word)))).chunks).finish).toBe('stop')
    },
  )

  test.each([[null], [''], ['null'], [undefined]])('%j with `[DONE]`: by what was called', async word => {
    const end = { choices: [{ index: 0, delta: {}, finish_reason: word }] }
    expect(said((await read(sse(hello, end))).chunks).finish).toBe('stop')
    expect(said((await read(sse(call, end))).chunks).finish).toBe('tool_calls')
    expect((await read(data(call) + data(end))).code).toBe('upstream_truncated')
  })

  test.each(['error', 'error_finish', 'insufficient_system_resource', 'abort', 'load', 'network_error'])(
    '%s is a failure, and the text beside it no content',
    async word => {
      const outcome = await read(sse(hello, event({ content: 'Out of <b>luck</b>' }, word)))
      expect(outcome.code).toBe(word === 'insufficient_system_resource' ? 'upstream_overloaded' : 'upstream_error')
      expect(said(outcome.chunks)).toEqual({ deltas: [{ content: 'Hello' }], finish: null })
      expect((outcome.error as Error).message).toBe('Out of luck')
    },
  )
})
