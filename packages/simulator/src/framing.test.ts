import { describe, expect, it } from 'vitest'
import { batched, cutOff, split, toFrames, toHttpChunks, trickled } from './framing.ts'
import { COMMON_OPTIONS, parseOptions } from './options.ts'
import type { StreamEvent } from './scenario.ts'

const EVENTS: readonly StreamEvent[] = [{ data: { a: 1 } }, { event: 'error', data: 'no' }, { bytes: 'raw\n' }]

function framed(query: string, events: readonly StreamEvent[] = EVENTS): string {
  return Buffer.concat([...toFrames(events, parseOptions(query, Object.keys(COMMON_OPTIONS)))]).toString()
}

function buffers(...texts: string[]): Buffer[] {
  return texts.map(text => Buffer.from(text))
}

function texts(pieces: Iterable<Buffer>): string[] {
  return Array.from(pieces, String)
}

describe('toFrames', () => {
  it.each([
    ['', 'data: {"a":1}\n\nevent: error\ndata: no\n\nraw\ndata: [DONE]\n\n'],
    ['done=0', 'data: {"a":1}\n\nevent: error\ndata: no\n\nraw\n'],
    ['done=open', 'data: {"a":1}\n\nevent: error\ndata: no\n\nraw\ndata: [DONE]\n\n'],
    ['eol=crlf', 'data: {"a":1}\r\n\r\nevent: error\r\ndata: no\r\n\r\nraw\ndata: [DONE]\r\n\r\n'],
    ['eol=cr', 'data: {"a":1}\r\revent: error\rdata: no\r\rraw\ndata: [DONE]\r\r'],
    ['space=0', 'data:{"a":1}\n\nevent: error\ndata:no\n\nraw\ndata:[DONE]\n\n'],
    ['bom=1', '\uFEFFdata: {"a":1}\n\nevent: error\ndata: no\n\nraw\ndata: [DONE]\n\n'],
    ['blank=0', 'data: {"a":1}\nevent: error\ndata: no\nraw\ndata: [DONE]\n'],
    ['multiline=1', 'data: {\ndata:  "a": 1\ndata: }\n\nevent: error\ndata: no\n\nraw\ndata: [DONE]\n\n'],
  ])('%s', (query, expected) => {
    expect(framed(query)).toBe(expected)
  })

  it('puts comments and empty events between events, and nothing that has data', () => {
    const events = Array.from({ length: 12 }, (_, at) => ({ data: String(at) }))
    const text = framed('comments=1&done=0', events)
    expect(text).toContain(': keep-alive\n\n')
    expect(text).toContain('data:\n\n')
    const data = text.split('\n').filter(line => /^data:./.test(line))
    expect(data).toEqual(events.map(event => `data: ${event.data}`))
  })

  it('can speak on behind [DONE]', () => {
    const parts = framed('done=2', []).split('data: [DONE]\n\n')
    expect(parts).toHaveLength(3)
    expect(parts[1]).toContain('behind the end')
  })
})

describe('the cutting of bytes', () => {
  it('joins pieces, the rest included', () => {
    expect(texts(batched(buffers('a', 'b', 'c', 'd', 'e'), 2))).toEqual(['ab', 'cd', 'e'])
  })

  it.each([
    [0, []],
    [2, ['ab']],
    [3, ['abc']],
    [4, ['abc', 'd']],
    [99, ['abc', 'def']],
  ])('lets %i bytes pass', (limit, expected) => {
    expect(texts(cutOff(buffers('abc', 'def'), limit))).toEqual(expected)
  })

  it('splits pieces, and never joins two', () => {
    expect(texts(split(buffers('abcde', 'f'), 2))).toEqual(['ab', 'cd', 'e', 'f'])
  })

  it.each([
    [0, ['abcdef']],
    [2, ['a', 'b', 'cdef']],
    [4, ['a', 'b', 'c', 'd', 'ef']],
    [99, ['a', 'b', 'c', 'd', 'e', 'f', '']],
  ])('lets %i bytes come by themselves', (count, expected) => {
    expect(texts(trickled(buffers('abc', 'def'), count))).toEqual(expected)
  })

  it('makes chunks of HTTP, none of them empty', () => {
    expect(texts(toHttpChunks(buffers('0123456789abcdefg', '', 'x')))).toEqual([
      '11\r\n0123456789abcdefg\r\n',
      '1\r\nx\r\n',
    ])
  })
})
