import { GatewayError } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { DONE, encodeError, encodeEvent, encodeFrame, HEARTBEAT, toChunk, toUsageChunk } from './encode.ts'
import { frameOf, HEAD, HEAD_WITH_USAGE } from './testing/replay.ts'

describe('events', () => {
  test.each([
    'plain',
    'two\nlines\r\n',
    'é 龍 🦔',
    '\u0085\u2028\u2029',
    '\ud83e',
    '\u0000\u007f',
    '</script>',
    'data: [DONE]\n\n',
  ])('%j is one line that all readers read alike', text => {
    const event = encodeEvent({ [text]: text })
    expect(event).toMatch(/^data: [^\n\r\u0085\u2028\u2029]*\n\n$/)
    expect(JSON.parse(event.slice('data: '.length))).toEqual({ [text]: text })
    expect(Buffer.from(event).toString()).toBe(event)
  })

  test('frames that have bytes go out as they are', () => {
    const bytes = Buffer.from('data: {}\n\n')
    expect(encodeFrame({ ...frameOf({}), bytes })).toBe(bytes)
    expect(encodeFrame(frameOf({ content: 'x' })).toString()).toBe(
      'data: {"id":"chatcmpl-test","object":"chat.completion.chunk","created":1780000000,"model":"test/model","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n',
    )
  })

  test('the end, the heartbeat and a failure', () => {
    expect(DONE.toString()).toBe('data: [DONE]\n\n')
    expect(HEARTBEAT.toString()).toMatch(/^: [^\n]+\n\n$/)
    expect(encodeError(new GatewayError('upstream_truncated', 'Cut.')).toString()).toBe(
      'data: {"error":{"message":"Cut.","type":"upstream_error","param":null,"code":"upstream_truncated"}}\n\n',
    )
  })
})

test('chunks say `usage: null` exactly where usage was asked for', () => {
  const choice = { index: 0, delta: {}, finish_reason: null }
  expect(toChunk(HEAD, choice)).not.toHaveProperty('usage')
  expect(toChunk(HEAD_WITH_USAGE, choice).usage).toBeNull()
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  expect(toUsageChunk(HEAD, usage)).toMatchObject({ choices: [], usage })
})
