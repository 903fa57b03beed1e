import { FAILURES, type FailureCode } from '@millrace/core'
import { expect } from 'vitest'
import type { Answer } from './chat-client.ts'
import { parseClientStream, type SeenError, type SeenStream } from './client-stream.ts'
import { KEY, UPSTREAM_KEY, type LoggedAnswer } from './start-bench.ts'

const SSE = 'text/event-stream; charset=utf-8'
const JSON_TYPE = /^application\/json(?:; charset=utf-8)?$/

/** The stream of a good answer, which says `content`. */
export function expectStream(answer: LoggedAnswer, content: string): SeenStream {
  expect(answer).toMatchObject({ status: 200, ended: true, line: { status: 200, ending: 'completed' } })
  expect(answer.headers['content-type']).toBe(SSE)
  const stream = parseClientStream(answer.text)
  expect(stream.error).toBeUndefined()
  expect(stream.content).toBe(content)
  expect(stream.done).toBe(true)
  return stream
}

/** A good answer in one piece, which says `content`. */
export function expectCompletion(answer: LoggedAnswer, content: string): void {
  expect(answer).toMatchObject({ status: 200, ended: true, line: { status: 200, ending: 'completed' } })
  expect(answer.headers['content-type']).toMatch(JSON_TYPE)
  expect(JSON.parse(answer.text)).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { role: 'assistant', content } }],
  })
}

/** A good answer, as a stream or in one piece, whichever was asked for. */
export function expectGood(answer: LoggedAnswer, stream: boolean, content: string): void {
  if (stream) expectStream(answer, content)
  else expectCompletion(answer, content)
}

/** An answer that is an error from its first line: status, envelope, and a line in the log with the same code. */
export function expectRefusal(answer: LoggedAnswer, status: number, code: FailureCode): SeenError {
  const error = expectEnvelope(answer, status, code)
  expect(answer.line).toMatchObject({ status, ending: code })
  return error
}

/** The same, where nobody wrote a line: the request was none. */
export function expectEnvelope(answer: Answer, status: number, code: FailureCode): SeenError {
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)])
  expect(answer.ended).toBe(true)
  expect(answer.headers['content-type']).toMatch(JSON_TYPE)
  expect(answer.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
  const { error } = JSON.parse(answer.text) as { error: SeenError }
  expectFit(error, code)
  return error
}

/** A stream that began and failed: what had come stays, then there is one error event and nothing more. */
export function expectBroken(answer: LoggedAnswer, code: FailureCode): SeenStream & { readonly error: SeenError } {
  expect([answer.status, answer.line]).toEqual([200, expect.objectContaining({ ending: code })])
  expect(answer.ended).toBe(true)
  const { error, ...stream } = parseClientStream(answer.text)
  expect(error).toBeDefined()
  expectFit(error!, code)
  expect(stream.done).toBe(false)
  return { ...stream, error: error! }
}

/** An answer that failed, before the stream began or in it; what text it holds. */
export function expectFailed(answer: LoggedAnswer, code: FailureCode): { readonly content: string } {
  if (answer.status === 200) return expectBroken(answer, code)
  expectRefusal(answer, FAILURES[code].status, code)
  return { content: '' }
}

function expectFit(error: SeenError, code: FailureCode): void {
  expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type'])
  expect(error.code).toBe(code)
  expect(error.type).toMatch(/./)
  expect(error.message).toMatch(/./)
  expect(Buffer.byteLength(error.message)).toBeLessThanOrEqual(2048 + 200)
  // eslint-disable-next-line no-control-regex
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]|<[a-z!/]/i)
  for (const secret of [KEY, UPSTREAM_KEY]) expect(error.message).not.toContain(secret)
}
