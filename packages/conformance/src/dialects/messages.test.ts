import { describe, expect, test } from 'vitest'
import { breachesOfMessages } from './messages.ts'

const USAGE = { input_tokens: 3, output_tokens: 4, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
const START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'sim/text',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: USAGE,
  },
}
const open = (index: number, block: object): object => ({ type: 'content_block_start', index, content_block: block })
const grow = (index: number, delta: object): object => ({ type: 'content_block_delta', index, delta })
const close = (index: number): object => ({ type: 'content_block_stop', index })
const end = (stop_reason: string): object => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
  usage: USAGE,
})
const STOP = { type: 'message_stop' }
const PING = { type: 'ping' }
const ERROR = { type: 'error', error: { type: 'api_error', message: 'The sluice is shut.' } }

const TEXT = [open(0, { type: 'text', text: '' }), grow(0, { type: 'text_delta', text: 'a' }), close(0)]
const CALL = [
  open(1, { type: 'tool_use', id: 'call_1', name: 'turn', input: {} }),
  grow(1, { type: 'input_json_delta', partial_json: '{"by":' }),
  grow(1, { type: 'input_json_delta', partial_json: '1}' }),
  close(1),
]

function encode(events: readonly object[]): string {
  return events.map(event => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

test.each([
  ['text', [START, ...TEXT, end('end_turn'), STOP]],
  ['pings between', [START, PING, ...TEXT, PING, end('end_turn'), PING, STOP]],
  ['text, then a call', [START, ...TEXT, ...CALL, end('tool_use'), STOP]],
  ['a call that the limit cut off', [START, ...TEXT, CALL[0]!, CALL[1]!, close(1), end('max_tokens'), STOP]],
  ['nothing at all', [START, end('end_turn'), STOP]],
])('a good stream has no breaches: %s', (_, events) => {
  expect(breachesOfMessages(encode(events), { whole: true })).toEqual([])
})

test.each([
  ['at once', [ERROR]],
  ['in the middle of a block', [START, TEXT[0]!, TEXT[1]!, ERROR]],
])('a good failure has none either: %s', (_, events) => {
  expect(breachesOfMessages(encode(events), { whole: false })).toEqual([])
})

describe('each breach is told', () => {
  const [opened, grown, closed] = TEXT as [object, object, object]
  test.each([
    ['no end', [START, ...TEXT], 'The end is no message_stop.'],
    ['no start', [...TEXT, end('end_turn'), STOP], 'event 0: the message does not start first'],
    ['two starts', [START, START, end('end_turn'), STOP], 'event 1: the message starts twice, or not first'],
    ['no reason', [START, ...TEXT, STOP], 'event 4: the message stops without a reason'],
    ['two reasons', [START, end('end_turn'), end('end_turn'), STOP], 'event 2: a second reason to stop'],
    ['an open block', [START, opened, grown, end('end_turn'), STOP], 'event 3: a reason to stop while a block is open'],
    [
      'a gap',
      [START, open(1, { type: 'text', text: '' }), close(1), end('end_turn'), STOP],
      'event 1: block 1 comes where 0 is due',
    ],
    [
      'blocks side by side',
      [START, opened, ...CALL, closed, end('tool_use'), STOP],
      'event 2: block 1 starts before the last one stopped',
    ],
    ['a delta without a block', [START, grown, end('end_turn'), STOP], 'event 1: block 0 goes on while it is not open'],
    [
      'a delta behind its block',
      [START, ...TEXT, grown, end('end_turn'), STOP],
      'event 4: block 0 goes on while it is not open',
    ],
    ['a stop too many', [START, ...TEXT, closed, end('end_turn'), STOP], 'event 4: block 0 stops while it is not open'],
    [
      'a delta of another kind',
      [START, opened, grow(0, { type: 'thinking_delta', thinking: 'a' }), closed, end('end_turn'), STOP],
      'event 2: a thinking_delta in a block of text',
    ],
    [
      'half an input',
      [START, ...TEXT, CALL[0]!, CALL[1]!, close(1), end('tool_use'), STOP],
      'event 7: the input of call_1 is no JSON object',
    ],
    [
      'a call that ends the turn',
      [START, ...TEXT, ...CALL, end('end_turn'), STOP],
      'event 8: tools were called, and the reason is "end_turn"',
    ],
    [
      'no call for it',
      [START, ...TEXT, end('tool_use'), STOP],
      'event 4: no tool was called, and the reason is "tool_use"',
    ],
    ['more behind the end', [START, end('end_turn'), STOP, PING], 'event 2: something follows the end'],
    ['more behind an error', [ERROR, PING], 'event 0: something follows the error'],
  ])('%s', (_, events, breach) => {
    expect(breachesOfMessages(encode(events), { whole: true })).toContain(breach)
  })

  test('a failure that ends like an answer', () => {
    const stream = encode([START, ...TEXT, end('end_turn'), STOP])
    expect(breachesOfMessages(stream, { whole: false })).toEqual(['The end is no error.'])
  })

  test('a forged signature, an empty delta, a usage without numbers', () => {
    const signed = open(0, { type: 'thinking', thinking: '', signature: 'forged' })
    const silent = grow(0, { type: 'thinking_delta', thinking: '' })
    const mute = { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null } }
    const breaches = breachesOfMessages(encode([START, signed, silent, close(0), mute, STOP]), { whole: true })
    expect(breaches.slice(0, 4)).toEqual([
      expect.stringMatching(/^event 1: content_block\.signature/),
      expect.stringMatching(/^event 2: delta\.thinking/),
      'event 3: block 0 stops while it is not open',
      expect.stringMatching(/^event 4: usage/),
    ])
  })

  test.each([
    ['no name', 'data: {"type":"ping"}\n\n', /^No name and data/],
    ['[DONE]', 'event: x\ndata: [DONE]\n\n', /^No name and data/],
    ['no JSON', 'event: ping\ndata: {"type"}\n\n', /^No JSON/],
    ['half an event', 'event: ping\ndata: {"type":"ping"}\n', /^The last event does not end/],
    ['a carriage return', 'event: ping\r\ndata: {"type":"ping"}\r\n\r\n', /^There is a raw "\\r"/],
    ['a raw line separator', 'event: ping\ndata: {"type":"\u2028"}\n\n', /^There is a raw/],
    ['another name', 'event: pong\ndata: {"type":"ping"}\n\n', /^event 0: is called "pong" and is a ping/],
  ])('in the bytes: %s', (_, stream, breach) => {
    expect(breachesOfMessages(stream, { whole: false })[0]).toMatch(breach)
  })
})
