import { toChunk, toDelta, toParts, toStream, toText, toUsage } from '../chunks.ts'
import type { Ask, DataEvent, Scenarios, StreamEvent } from '../scenario.ts'
import { textPieces } from '../words.ts'
import { chatScenario } from './chat-scenario.ts'

/** Streams that break the rules of the dialect, and yet mean something. */
export const ODD_STREAMS: Scenarios = {
  'usage-only': chatScenario('One chunk with usage, and no choice at all.', ask => [
    toChunk(ask, [], { usage: toUsage(ask, 0) }),
  ]),
  'whole-message': chatScenario('The whole answer in one chunk, as `message` instead of `delta`.', ask => {
    const content = [...textPieces(ask.options)].join('')
    return [toChunk(ask, [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }])]
  }),
  'two-finishes': chatScenario('The finish chunk comes twice.', function* (ask) {
    for (const event of toText(ask)) {
      yield event
      if (hasFinish(event)) yield event
    }
  }),
  'role-each': chatScenario('A role in every chunk.', ask =>
    toStream(
      ask,
      Array.from(textPieces(ask.options), content => ({ delta: { role: 'assistant', content } })),
    ),
  ),
  'content-array': chatScenario('Content as arrays of parts.', ask =>
    toStream(
      ask,
      Array.from(textPieces(ask.options), text => ({ delta: { content: [{ type: 'text', text }] } })),
    ),
  ),
  'no-choices': chatScenario('Chunks without the member `choices` in between.', function* (ask) {
    for (const event of toText(ask)) {
      yield event
      yield { data: { id: 'note', object: 'chat.completion.note', created: 0, model: ask.model } }
    }
  }),
  nulls: chatScenario('Null in every place that has nothing to say.', ask => {
    const nothing = { role: null, refusal: null, tool_calls: null, function_call: null, reasoning_content: null }
    const parts = Array.from(textPieces(ask.options), content => [
      { delta: { ...nothing, content } },
      { delta: { ...nothing, content: null } },
    ])
    return toStream(ask, parts.flat())
  }),
  shifting: chatScenario('`id`, `created`, `model` and `object` change from chunk to chunk.', function* (ask) {
    let count = 0
    for (const { data } of toText(ask)) {
      count++
      yield { data: { ...(data as object), id: `other-${count}`, created: count, model: `m${count}`, object: 'other' } }
    }
  }),
  'done-in-content': chatScenario('The text itself speaks of `[DONE]` and looks like events.', ask =>
    toStream(ask, toParts(['[DONE]', '\n\ndata: [DONE]\n\n', ' data: {"error":{"message":"no"}}', '\n\n[DONE]'])),
  ),
  pings: chatScenario('Named pings between the chunks.', function* (ask) {
    for (const event of toText(ask)) {
      yield { event: 'ping', data: { type: 'ping' } }
      yield event
    }
  }),
  ndjson: chatScenario(
    'Lines of JSON instead of events, as application/x-ndjson.',
    function* (ask) {
      for (const { data } of toText(ask)) yield { bytes: `${JSON.stringify(data)}\n` }
    },
    { defaults: { type: 'application/x-ndjson', done: '0' }, whole: toText },
  ),
  'no-finish': chatScenario('No finish reason and no [DONE]: the body simply ends.', unfinished, {
    defaults: { done: '0' },
  }),
  badutf8: chatScenario('Bytes that are not UTF-8 inside the text.', badUtf8, { whole: toText }),
  'not-json': chatScenario('An event in mid-stream whose data is no chunk.', notJson, {
    options: { value: 'the data ({oops); {"choices":null}, null, 42 and [] are others' },
  }),
}

function hasFinish({ data }: DataEvent): boolean {
  const { choices } = data as { choices: readonly { readonly finish_reason: string | null }[] }
  return choices.some(choice => choice.finish_reason !== null)
}

/** A byte that never occurs, an overlong form, a surrogate, a character cut short, one without its beginning. */
const BAD_UTF8 = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe9, 0xbe], [0x99]].map(bytes => Buffer.from(bytes))

function* badUtf8(ask: Ask): Generator<StreamEvent> {
  yield toDelta(ask, { role: 'assistant', content: '' })
  for (const bytes of BAD_UTF8) {
    const [before, after] = JSON.stringify(toDelta(ask, { content: 'bad: @.' }).data).split('@')
    yield { bytes: Buffer.concat([Buffer.from(`data: ${before}`), bytes, Buffer.from(`${after}\n\n`)]) }
  }
  yield toDelta(ask, {}, 'stop')
}

/** The text without its last event, which is what finishes it. */
function* unfinished(ask: Ask): Generator<StreamEvent> {
  yield toDelta(ask, { role: 'assistant', content: '' })
  for (const content of textPieces(ask.options)) yield toDelta(ask, { content })
}

function* notJson(ask: Ask): Generator<StreamEvent> {
  const data = ask.options.text('value', '{oops')
  let count = 0
  for (const event of toText(ask)) {
    yield event
    if (++count === 3) yield { data }
  }
}
