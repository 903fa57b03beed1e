import { expect, test } from 'vitest'
import { parseClientStream } from './client-stream.ts'

test('events, comments in between, and the end', () => {
  const text = 'data: {"a":1}\n\n: keep-alive\n\ndata: {"b":"é"}\n\ndata: [DONE]\n\n'
  expect(parseClientStream(text)).toEqual({ events: [{ a: 1 }, { b: 'é' }], done: true })
  expect(parseClientStream('data: {"a":1}\n\n')).toEqual({ events: [{ a: 1 }], done: false })
  expect(parseClientStream('')).toEqual({ events: [], done: false })
})

test.for([
  ['something behind the end', 'data: [DONE]\n\ndata: {}\n\n'],
  ['the end twice', 'data: [DONE]\n\ndata: [DONE]\n\n'],
  ['an event without its end', 'data: {}\n'],
  ['two data lines', 'data: {\ndata: }\n\n'],
  ['no blank', 'data:{}\n\n'],
  ['another field', 'event: error\ndata: {}\n\n'],
  ['an empty event', '\n\ndata: {}\n\n'],
  ['a comment in an event', ': x\ndata: {}\n\n'],
  ['no JSON', 'data: {\n\n'],
  ['CRLF', 'data: {}\r\n\r\n'],
  ['a raw U+0085', 'data: {"a":"\u0085"}\n\n'],
  ['a raw U+2028', 'data: {"a":"\u2028"}\n\n'],
  ['a raw U+2029', 'data: {"a":"\u2029"}\n\n'],
  ['a raw form feed', 'data: {"a":"\f"}\n\n'],
] as const)('%s is an error', ([, text]) => {
  expect(() => parseClientStream(text)).toThrow(Error)
})
