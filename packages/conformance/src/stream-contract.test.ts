import type { ChatChunk, ChunkHead, Delta, FinishReason, Frame } from '@millrace/core'
import { encodeEvent } from '@millrace/sse-core'
import { expect, test } from 'vitest'
import { breachesOf } from './stream-contract.ts'

const HEAD: ChunkHead = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'as/asked-for', includeUsage: true }
const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

function chunk(members: Readonly<Record<string, unknown>>): ChatChunk {
  const { id, created, model } = HEAD
  return { id, object: 'chat.completion.chunk', created, model, usage: null, choices: [], ...members } as ChatChunk
}

function frame(delta: object, finish_reason: string | null = null, index = 0): Frame {
  return { chunk: chunk({ choices: [{ index, delta, finish_reason }] }) }
}

const silent = ({ chunk: { usage: _usage, ...rest } }: Frame): Frame => ({ chunk: rest })
const withBytes = (bytes: string, { chunk }: Frame): Frame => ({ chunk, bytes: Buffer.from(bytes) })
const role = (index = 0): Frame => frame({ role: 'assistant', content: '' }, null, index)
const text = (content: string | null, index = 0): Frame => frame({ content }, null, index)
const finish = (reason: FinishReason = 'stop', index = 0): Frame => frame({}, reason, index)
const usage = (more: object = {}): Frame => ({ chunk: chunk({ usage: { ...USAGE, ...more } }) })
const called = (...calls: object[]): Frame => frame({ tool_calls: calls })
const open = (index: number, id = `call_${index}`): Frame =>
  called({ index, id, type: 'function', function: { name: 'look', arguments: '' } })
const piece = (index: number, text = '{}'): Frame => called({ index, function: { arguments: text } })

const GOOD: Readonly<Record<string, readonly Frame[]>> = {
  'text and usage': [role(), text('a'), text('b'), finish(), usage()],
  'reasoning, then text': [role(), frame({ reasoning_content: 'hm' }), text('a'), finish()],
  'text in the first delta': [frame({ role: 'assistant', content: 'a' }), finish('length')],
  'null before a tool is called': [
    frame({ role: 'assistant', content: null }),
    open(0),
    piece(0),
    finish('tool_calls'),
  ],
  'calls that take turns': [role(), open(0), open(1), piece(0, '{'), piece(1), piece(0, '}'), finish('tool_calls')],
  'a call cut off at the limit': [role(), open(0), piece(0, '{'), finish('length')],
  'two choices': [role(0), role(1), text('a', 1), text('b', 0), finish('stop', 1), text('c', 0), finish('length', 0)],
  'nothing to say': [role(), finish('content_filter')],
  'members that are handed on': [
    role(),
    {
      chunk: chunk({
        service_tier: 'x',
        citations: [],
        choices: [{ index: 0, delta: { annotations: [{}] }, finish_reason: null }],
      }),
    },
    finish(),
  ],
  'probabilities without text': [
    role(),
    { chunk: chunk({ choices: [{ index: 0, delta: {}, logprobs: { content: [] }, finish_reason: null }] }) },
    finish(),
  ],
  'the older form of a call': [
    role(),
    frame({ function_call: { name: 'look', arguments: '' } }),
    frame({ function_call: { arguments: '{}' } }),
    finish('function_call'),
  ],
  'ready-made bytes': [role(), withBytes(encodeEvent(text('a\u2028').chunk), text('a\u2028')), finish()],
}

test.for(Object.entries(GOOD))('%s keeps the contract', ([, frames]) => {
  expect(breachesOf(frames, { head: HEAD, whole: true })).toEqual([])
})

/** Streams, each with one fault → what is said of it. */
const BAD: Readonly<Record<string, [frames: readonly Frame[], breach: string | RegExp]>> = {
  'no frames': [[], 'the end: no choice ever came'],
  'no finish': [[role(), text('a')], 'the end: choice 0 never finished'],
  'one of two that does not finish': [[role(0), role(1), finish('stop', 1)], 'the end: choice 0 never finished'],
  'no role': [[text('a'), finish()], 'chunk 0: choice 0 begins without a role'],
  'a role again': [
    [role(), frame({ role: 'assistant', content: 'a' }), finish()],
    'chunk 1: choice 0 has a second role',
  ],
  'text behind the finish': [[role(), finish(), text('a')], 'chunk 2: choice 0 goes on behind its finish'],
  'two finishes': [[role(), finish(), finish()], 'chunk 2: choice 0 goes on behind its finish'],
  'null in the middle of text': [
    [role(), text('a'), text(null), finish()],
    'chunk 2: content is null though text flows',
  ],
  'reasoning and text at once': [
    [role(), frame({ content: 'a', reasoning_content: 'b' }), finish()],
    'chunk 1: reasoning and content in one delta',
  ],
  'a chunk that says nothing': [[role(), frame({}), finish()], 'chunk 1: says nothing'],
  'text in the finish': [[role(), frame({ content: 'a' }, 'stop')], 'chunk 1: the finish carries a delta'],
  'a reason of nobody': [[role(), frame({}, 'eos')], /^chunk 1: choices\.0\.finish_reason:/],
  'no reason at all': [
    [role(), { chunk: chunk({ choices: [{ index: 0, delta: { content: 'a' } }] }) }, finish()],
    /^chunk 1: choices\.0\.finish_reason:/,
  ],
  'an empty reason': [[role(), frame({ content: 'a' }, ''), finish()], /^chunk 1: choices\.0\.finish_reason:/],
  'stop though tools were called': [[role(), open(0), finish()], /"stop"$/],
  'tool calls that never came': [[role(), finish('tool_calls')], /"tool_calls"$/],
  'a function call that never came': [[role(), finish('function_call')], /"function_call"$/],
  'a call without a beginning': [[role(), piece(0), finish()], 'chunk 1: tool call 0 goes on before it began'],
  'a gap': [[role(), open(1), finish('tool_calls')], 'chunk 1: tool call 1 leaves a gap'],
  'a beginning again': [[role(), open(0), open(0, 'other'), finish('tool_calls')], 'chunk 2: tool call 0 begins twice'],
  'a doubled id': [
    [role(), open(0, 'x'), open(1, 'x'), finish('tool_calls')],
    'chunk 2: tool call 1 has the id of another',
  ],
  'an empty id': [[role(), open(0, ''), finish()], /^chunk 1: choices\.0\.delta\.tool_calls\.0/],
  'a call without a name': [
    [role(), called({ index: 0, id: 'x', type: 'function', function: { arguments: '' } }), finish()],
    /^chunk 1: choices\.0\.delta\.tool_calls\.0/,
  ],
  'a name again': [
    [role(), open(0), called({ index: 0, function: { name: 'look', arguments: '{}' } }), finish('tool_calls')],
    /^chunk 2: choices\.0\.delta\.tool_calls\.0/,
  ],
  'a call without an index': [
    [role(), called({ id: 'x', type: 'function', function: { name: 'look', arguments: '' } }), finish()],
    /^chunk 1: choices\.0\.delta\.tool_calls\.0/,
  ],
  'an index out of range': [[role(), open(128), finish()], /^chunk 1: choices\.0\.delta\.tool_calls\.0/],
  'a function called without a name': [
    [role(), frame({ function_call: { arguments: '{}' } }), finish('function_call')],
    'chunk 1: a function call has its name first, and once',
  ],
  'an id that changes': [[role(), { chunk: { ...finish().chunk, id: 'other' } }], 'chunk 1: id is not what it was'],
  'a time that changes': [
    [role(), { chunk: { ...finish().chunk, created: HEAD.created + 1 } }],
    'chunk 1: created is not what it was',
  ],
  'milliseconds for seconds': [
    [role(), { chunk: { ...finish().chunk, created: 1_800_000_000_000 } }],
    /^chunk 1: created:/,
  ],
  'a model of the upstream': [
    [role(), { chunk: { ...finish().chunk, model: 'other' } }],
    'chunk 1: model is not what it was',
  ],
  'another object': [
    [role(), { chunk: chunk({ ...finish().chunk, object: 'chat.completion.done' }) }],
    /^chunk 1: object:/,
  ],
  'members of the upstream': [
    [role(), { chunk: chunk({ ...finish().chunk, obfuscation: 'x' }) }],
    /^chunk 1: .*obfuscation/,
  ],
  'members of the upstream in a delta': [
    [role(), frame({ content: 'a', token_id: 1 }), finish()],
    /^chunk 1: .*token_id/,
  ],
  'two choices in one chunk': [
    [
      role(0),
      role(1),
      { chunk: chunk({ choices: [...finish('stop', 0).chunk.choices, ...finish('stop', 1).chunk.choices] }) },
    ],
    /^chunk 2: choices:/,
  ],
  'usage beside a choice': [[role(), { chunk: { ...finish().chunk, usage: USAGE } }], 'chunk 1: usage beside a choice'],
  'usage that is left out': [[role(), silent(finish())], 'chunk 1: no `usage: null`, though usage was asked for'],
  'usage before the end': [[role(), usage(), finish()], 'chunk 1: usage before the end'],
  'usage twice': [[role(), finish(), usage(), usage()], 'chunk 2: usage before the end'],
  'neither choice nor usage': [[role(), finish(), { chunk: chunk({}) }], 'chunk 2: neither a choice nor usage'],
  'negative usage': [[role(), finish(), usage({ prompt_tokens: -1 })], /^chunk 2: usage\.prompt_tokens:/],
  'broken usage': [[role(), finish(), usage({ completion_tokens: 0.5 })], /^chunk 2: usage\.completion_tokens:/],
  'a total below its parts': [[role(), finish(), usage({ total_tokens: 2 })], 'chunk 2: usage: total below its parts'],
  'bytes that say something else': [
    [role(), withBytes(encodeEvent(text('b').chunk), text('a')), finish()],
    'chunk 1: the bytes do not say what the chunk says',
  ],
  'bytes of two events': [
    [role(), withBytes(encodeEvent(text('a').chunk).repeat(2), text('a')), finish()],
    'chunk 1: the bytes do not say what the chunk says',
  ],
  'bytes without their end': [
    [role(), withBytes(encodeEvent(text('a').chunk).trimEnd(), text('a')), finish()],
    'chunk 1: the bytes are no good event: The last event does not end.',
  ],
  'bytes with a raw separator': [
    [role(), withBytes(`data: ${JSON.stringify(text('\u2028').chunk)}\n\n`, text('\u2028')), finish()],
    /^chunk 1: the bytes are no good event: There is a raw/,
  ],
  'bytes for more than text': [
    [withBytes(encodeEvent(role().chunk), role()), finish()],
    'chunk 0: the bytes hold more than text',
  ],
}

test.for(Object.entries(BAD))('%s breaks it', ([, [frames, breach]]) => {
  const breaches = breachesOf(frames, { head: HEAD, whole: true })
  const pattern = typeof breach === 'string' ? new RegExp(`^${RegExp.escape(breach)}$`) : breach
  expect(breaches).toContainEqual(expect.stringMatching(pattern))
})

test('usage that was not asked for is not mentioned, but for the last frame', () => {
  const head = { ...HEAD, includeUsage: false }
  expect(breachesOf([silent(role()), silent(finish()), usage()], { head, whole: true })).toEqual([])
  expect(breachesOf([silent(role()), finish()], { head, whole: true })).toEqual([
    'chunk 1: `usage` is there, though it was not asked for',
  ])
})

test('of a stream that failed no end is demanded', () => {
  expect(breachesOf([role(), text('a')], { head: HEAD, whole: false })).toEqual([])
  expect(breachesOf([], { head: HEAD, whole: false })).toEqual([])
  const delta: Delta = { content: 'a' }
  expect(breachesOf([frame(delta)], { head: HEAD, whole: false })).toEqual(['chunk 0: choice 0 begins without a role'])
})
