import { run, UpstreamError, type Frames } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { readFrames } from './frames.ts'
import { expectContract } from './testing/contract.ts'
import { bytewise, data, event, gather, HEAD, HEAD_WITH_USAGE, hello, replyOf, sse, textOf } from './testing/replay.ts'

describe('answers that are no stream', () => {
  const completion = {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Text',
          reasoning_content: 'Why',
          refusal: null,
          annotations: [],
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
      { index: 1, message: { role: 'assistant', content: 'Other' }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    system_fingerprint: 'fp_1',
  }

  test.each([
    ['as it is', JSON.stringify(completion), 'application/json'],
    ['labelled as a stream', JSON.stringify(completion), 'text/event-stream'],
    ['labelled as text', JSON.stringify(completion), 'text/plain'],
    ['behind blank lines', `\n\n \n${JSON.stringify(completion)}\n`, 'application/json'],
    ['behind a byte order mark', `\uFEFF${JSON.stringify(completion, null, 2)}`, 'application/json'],
    ['over several lines', JSON.stringify(completion, null, 2), 'application/json'],
  ])('a completion becomes the stream it would have been: %s', async (_, body, type) => {
    for (const reads of [[body], bytewise(Buffer.from(body))]) {
      const reply = replyOf(reads, { headers: { 'content-type': type } })
      const { chunks, code, batches } = await gather(readFrames(reply, HEAD_WITH_USAGE))
      expect(code).toBeUndefined()
      expect(batches).toHaveLength(1)
      expectContract(chunks, HEAD_WITH_USAGE, true)
      const whole = await collect(readFrames(replyOf(reads), HEAD), HEAD)
      expect(whole.choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
        ['Text', 'tool_calls'],
        ['Other', 'stop'],
      ])
      expect(whole.choices[0]?.message).toMatchObject({
        reasoning_content: 'Why',
        tool_calls: completion.choices[0]?.message.tool_calls,
      })
      expect(whole).toMatchObject({ usage: completion.usage, system_fingerprint: 'fp_1' })
    }
  })

  test('a stream labelled as anything is a stream', async () => {
    for (const type of ['text/plain', 'application/octet-stream', 'application/json', '']) {
      const reply = replyOf([sse(hello, event({}, 'stop'))], { headers: { 'content-type': type } })
      expect(textOf((await gather(readFrames(reply, HEAD))).chunks)).toBe('Hello')
    }
  })

  test.each([
    ['a web page', '<!DOCTYPE html><html><body>Welcome</body></html>', 'upstream_bad_response'],
    ['a web page behind white space', '\n  <html></html>', 'upstream_bad_response'],
    ['an empty body', '', 'upstream_bad_response'],
    ['white space', ' \n', 'upstream_bad_response'],
    ['an empty object', '{}', 'upstream_bad_response'],
    ['an empty list', '[]', 'upstream_bad_response'],
    ['a completion without choices', '{"object":"chat.completion","choices":[]}', 'upstream_bad_response'],
    ['half a completion', JSON.stringify(completion).slice(0, 100), 'upstream_truncated'],
    ['words', 'It works!', 'upstream_bad_response'],
    ['a report of a failure', '{"error":"Unexpected endpoint"}', 'upstream_error'],
    ['a list with a report of a failure', '[{"error":{"code":503,"message":"Busy"}}]', 'upstream_overloaded'],
    [
      'a completion that failed',
      '{"choices":[{"message":{"content":"Busy"},"finish_reason":"error"}]}',
      'upstream_error',
    ],
  ])('%s is a failure', async (_, body, code) => {
    for (const reads of [[body], bytewise(Buffer.from(body))]) {
      const reply = replyOf(reads)
      const outcome = await gather(readFrames(reply, HEAD))
      expect(outcome.code).toBe(code)
      expect(outcome.frames).toEqual([])
      expect((outcome.error as Error).message).not.toContain('<')
      expect(reply.seen.closed).toBe(true)
    }
  })

  test.each([
    [301, 'upstream_bad_response'],
    [307, 'upstream_bad_response'],
    [400, 'upstream_rejected'],
    [401, 'upstream_auth_failed'],
    [404, 'upstream_bad_response'],
    [429, 'rate_limit_exceeded'],
    [500, 'upstream_error'],
    [502, 'upstream_error'],
    [503, 'upstream_overloaded'],
    [529, 'upstream_overloaded'],
  ])(
    'status %i is a failure, its body is not followed or shown, and the connection is closed',
    async (status, code) => {
      const reply = replyOf(['<html><a href="http://169.254.169.254/">moved</a></html>'], {
        status,
        headers: { location: 'http://169.254.169.254/', 'content-type': 'text/html', 'retry-after': '7' },
      })
      const outcome = await gather(readFrames(reply, HEAD))
      expect(outcome).toMatchObject({ code, error: { upstreamStatus: status }, frames: [] })
      expect((outcome.error as Error).message).not.toMatch(/<|169/)
      expect((outcome.error as UpstreamError).retryAfterMs).toBe(status < 400 ? undefined : 7000)
      expect(reply.seen.closed).toBe(true)
    },
  )

  test('204 is an empty answer', async () => {
    const outcome = await gather(readFrames(replyOf([], { status: 204 }), HEAD))
    expect(outcome.code).toBe('upstream_bad_response')
  })

  test('a failure whose body breaks off has still said something; one whose client left has not', async () => {
    const fault = new UpstreamError('upstream_truncated', 'reset')
    const broken = replyOf(['{"error":{"message":"Bad model."}}'], { status: 400, fault })
    expect((await gather(readFrames(broken, HEAD))).error).toMatchObject({ message: 'Bad model.' })
    const left = new Error('left')
    const aborted = replyOf(['{"error":'], { status: 400, fault: left })
    expect((await gather(readFrames(aborted, HEAD))).error).toBe(left)
  })

  test('of the body of a failure no more than 64 KiB are read', async () => {
    const reply = replyOf(
      Array.from({ length: 100 }, () => 'x'.repeat(16 * 1024)),
      { status: 500 },
    )
    await gather(readFrames(reply, HEAD))
    expect(reply.seen).toMatchObject({ reads: 4, closed: true })
  })
})

describe('the connection', () => {
  test('nothing is read before the first `next()`', () => {
    const reply = replyOf([sse(hello)])
    readFrames(reply, HEAD)
    expect(reply.seen.reads).toBe(0)
  })

  test('behind `[DONE]` nothing is waited for', async () => {
    const reply = replyOf([sse(hello), 'more', 'and more'])
    await gather(readFrames(reply, HEAD))
    expect(reply.seen).toEqual({ reads: 1, closed: true, endWithin: 250 })
  })

  test('behind the finish there is a short wait for usage and `[DONE]`', async () => {
    const reply = replyOf([
      data(hello),
      data(event({}, 'stop')),
      data({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    ])
    const { chunks } = await gather(readFrames(reply, HEAD))
    expect(reply.seen.endWithin).toBe(5000)
    expect(chunks.at(-1)?.usage).toMatchObject({ total_tokens: 2 })
  })

  test.each([
    ['in the middle', data(hello)],
    ['though the end is known', data(hello) + data(event({}, 'stop'))],
    ['though half of something is there', data(hello) + 'data: {"'],
  ])('leaving closes it, and says nothing more: %s', async (_, first) => {
    for (const leave of [
      (frames: Frames) => run(frames, () => false),
      (frames: Frames) => run(frames, async () => false),
      async (frames: Frames) => {
        for await (const batch of frames) if (batch.length > 0) break
      },
    ]) {
      const reply = replyOf([first, data(hello)])
      await leave(readFrames(reply, HEAD))
      expect(reply.seen).toMatchObject({ reads: 1, closed: true })
    }
  })
})
