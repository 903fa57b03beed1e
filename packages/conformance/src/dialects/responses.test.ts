import { describe, expect, test } from 'vitest'
import { breachesOfResponses } from './responses.ts'

const USAGE = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 7,
}
const PART = { type: 'output_text', text: 'ab', annotations: [], logprobs: [] }
const MESSAGE = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [PART] }
const CALL = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_1',
  name: 'turn',
  arguments: '{}',
}

type Event = Readonly<Record<string, unknown>> & { readonly type: string }

function respond(type: string, members: object = {}): Event {
  return {
    type: `response.${type}`,
    response: {
      id: 'resp_1',
      object: 'response',
      created_at: 1_800_000_000,
      model: 'sim/text',
      status: type,
      completed_at: null,
      error: null,
      incomplete_details: null,
      instructions: null,
      metadata: {},
      output: [],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: false,
      temperature: null,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_p: null,
      truncation: 'disabled',
      usage: null,
      ...members,
    },
  }
}

const BEGIN = [respond('created', { status: 'in_progress' }), respond('in_progress')]
const complete = (...output: object[]): Event => respond('completed', { output, usage: USAGE })

const inText = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const added = (index: number, item: object): Event => ({
  type: 'response.output_item.added',
  output_index: index,
  item,
})
const finished = (index: number, item: object): Event => ({
  type: 'response.output_item.done',
  output_index: index,
  item,
})
const grown = (delta: string): Event => ({ type: 'response.output_text.delta', ...inText, delta, logprobs: [] })
const TEXT = [
  added(0, { ...MESSAGE, status: 'in_progress', content: [] }),
  { type: 'response.content_part.added', ...inText, part: { ...PART, text: '' } },
  grown('a'),
  grown('b'),
  { type: 'response.output_text.done', ...inText, text: 'ab', logprobs: [] },
  { type: 'response.content_part.done', ...inText, part: PART },
  finished(0, MESSAGE),
] as const
const inCall = { item_id: 'fc_1', output_index: 1 }
const CALLED = [
  added(1, { ...CALL, status: 'in_progress', arguments: '' }),
  { type: 'response.function_call_arguments.delta', ...inCall, delta: '{}' },
  { type: 'response.function_call_arguments.done', ...inCall, name: 'turn', arguments: '{}' },
  finished(1, CALL),
] as const
const FAILED = respond('failed', { error: { code: 'server_error', message: 'The sluice is shut.' } })

function encode(events: readonly object[]): string {
  return events
    .map((event, at) => {
      const { type } = event as Event
      return `event: ${type}\ndata: ${JSON.stringify({ sequence_number: at, ...event })}\n\n`
    })
    .join('')
}

test.each<[string, readonly object[]]>([
  ['text', [...BEGIN, ...TEXT, complete(MESSAGE)]],
  ['text, then a call', [...BEGIN, ...TEXT, ...CALLED, complete(MESSAGE, CALL)]],
  ['nothing at all', [...BEGIN, complete()]],
  [
    'an answer that the limit cut off',
    [
      ...BEGIN,
      ...TEXT.slice(0, -1),
      finished(0, { ...MESSAGE, status: 'incomplete' }),
      respond('incomplete', {
        incomplete_details: { reason: 'max_output_tokens' },
        output: [{ ...MESSAGE, status: 'incomplete' }],
        usage: USAGE,
      }),
    ],
  ],
])('a good stream has no breaches: %s', (_, events) => {
  expect(breachesOfResponses(`: keep-alive\n\n${encode(events)}`, { whole: true })).toEqual([])
})

test.each<[string, readonly object[]]>([
  ['at once', [...BEGIN, FAILED]],
  ['in the middle of an item', [...BEGIN, TEXT[0], TEXT[1], TEXT[2], FAILED]],
])('a good failure has none either: %s', (_, events) => {
  expect(breachesOfResponses(encode(events), { whole: false })).toEqual([])
})

const [open, part, a, b, textDone, partDone, itemDone] = TEXT
const END = complete(MESSAGE)

test.each<[string, readonly object[], string]>([
  ['no end', [...BEGIN, ...TEXT], 'The end is response.output_item.done.'],
  ['a failure for an end', [...BEGIN, FAILED], 'The end is response.failed.'],
  ['two ends', [...BEGIN, complete(), complete()], 'event 2: something follows response.completed'],
  ['no beginning', [complete()], 'event 0: response.completed where response.created is due'],
  ['two beginnings', [...BEGIN, BEGIN[0]!, complete()], 'event 2: response.created again'],
  ['a number twice', [BEGIN[0]!, { ...BEGIN[1]!, sequence_number: 0 }, complete()], 'event 1: has the number 0'],
  [
    'text without an item',
    [...BEGIN, a, complete()],
    'event 2: response.output_text.delta of item 0, which is not open',
  ],
  ['a delta without its part', [...BEGIN, open, a], 'event 3: output_text.delta where nothing is due'],
  [
    'a part without an end',
    [...BEGIN, open, part, a, b, textDone, itemDone, END],
    'event 7: output_item.done where content_part.done is due',
  ],
  [
    'lost text',
    [...BEGIN, open, part, a, textDone, partDone, itemDone, END],
    'event 5: the text is not what the deltas said',
  ],
  ['an item that is not done', [...BEGIN, ...TEXT.slice(0, -1), complete()], 'event 8: the end while item 0 is open'],
  ['a gap', [...BEGIN, ...CALLED, complete(CALL)], 'event 2: item 1 comes where 0 is due'],
  [
    'items side by side',
    [...BEGIN, open, part, a, b, ...CALLED, complete(CALL)],
    'event 6: item 1 begins while item 0 is open',
  ],
  ['an output that lacks an item', [...BEGIN, ...TEXT, complete()], 'event 9: the output is not what the items said'],
  ['no usage', [...BEGIN, respond('completed')], 'event 2: the usage'],
  ['another id', [...BEGIN, respond('completed', { id: 'resp_2', usage: USAGE })], 'event 2: id is not what it was'],
])('%s is a breach', (_, events, breach) => {
  expect(breachesOfResponses(encode(events), { whole: true })).toContain(breach)
})

describe('in the bytes', () => {
  test.each([
    ['[DONE]', `${encode([...BEGIN, complete()])}data: [DONE]\n\n`, /^No name and data/],
    ['another name', encode([...BEGIN, complete()]).replace('response.created', 'created'), /^event 0: is called/],
    ['an unknown member', encode([...BEGIN, ...TEXT]).replace('"logprobs"', '"log_probs"'), /^event \d+: .*log/],
  ])('%s is a breach', (_, stream, breach) => {
    expect(breachesOfResponses(stream, { whole: true })).toContainEqual(expect.stringMatching(breach))
  })
})
