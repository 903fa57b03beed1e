import type { Answer, DataEvent, StreamEvent } from '../../scenario.ts'
import { textChoices, toChoice, toChunk, toStream, toUsage } from '../chunks.ts'
import type { QwenAsk, QwenChoice } from '../chunks.ts'
import { streamScript } from '../script.ts'
import type { Script, Scripts } from '../script.ts'
import { toText } from './texts.ts'

const EMPTY = ['nothing', 'done', 'usage', 'role'] as const

/** How streams end, or do not. */
export const ENDINGS: Scripts = {
  'two-finishes': streamScript('The finish chunk comes twice.', function* (ask) {
    for (const event of toText(ask)) {
      yield event
      if (isFinish(event)) yield event
    }
  }),
  'content-after-finish': streamScript('A piece of text comes behind the finish chunk.', function* (ask) {
    for (const event of toText(ask)) {
      yield event
      if (isFinish(event)) yield toChunk(ask, [toChoice({ content: ' and more' })])
    }
  }),
  'usage-with-finish': usageScript('Finish and usage in one chunk.', 'finish'),
  'usage-first': usageScript('Usage comes before everything else.', 'first'),
  'usage-twice': usageScript('The usage chunk comes twice.', 'twice'),
  'usage-missing': usageScript('No usage, though it was asked for.', 'none'),
  'no-done': streamScript('No [DONE].', toText, { defaults: { done: '0' } }),
  'silent-close': streamScript(
    'The stream ends in the middle of the answer, without a finish and without [DONE].',
    half,
    {
      defaults: { done: '0' },
      whole: toText,
    },
  ),
  empty: {
    summary: 'A good status, and nothing in it.',
    options: { how: `what comes: ${EMPTY.join(', ')} (nothing)` },
    answer: empty,
  },
  'odd-deltas': streamScript(
    'Deltas that are null or have null in them, finish reasons that are empty, ids that change.',
    ask => renamed(toStream(ask, odd(ask))),
  ),
}

function usageScript(summary: string, usage: string): Script {
  return streamScript(summary, toText, { defaults: { usage } })
}

function isFinish(event: StreamEvent): boolean {
  if (!('data' in event) || typeof event.data === 'string') return false
  const { choices } = event.data as { choices: readonly QwenChoice[] }
  return choices.some(choice => choice.finish_reason)
}

/** Three events of the ordinary answer. */
function* half(ask: QwenAsk): Generator<StreamEvent> {
  let count = 0
  for (const event of toText(ask)) {
    if (count++ === 3) return
    yield event
  }
}

function empty(ask: QwenAsk): Answer {
  const how = ask.options.oneOf('how', EMPTY, 'nothing')
  if (how === 'nothing') return { body: '', defaults: ask.stream ? { type: 'text/event-stream' } : {} }
  const events: Readonly<Record<Exclude<typeof how, 'nothing'>, readonly DataEvent[]>> = {
    done: [],
    usage: [toChunk(ask, [], toUsage(ask, 0))].map(({ data }) => ({ data: { ...(data as object), id: '' } })),
    role: [toChunk(ask, [toChoice({ content: '', role: 'assistant' })])],
  }
  return { events: () => events[how] }
}

function* odd(ask: QwenAsk): Generator<QwenChoice> {
  yield toChoice(null)
  for (const choice of textChoices(ask)) {
    const finish_reason = choice.finish_reason ?? ''
    yield { ...choice, delta: { role: null, tool_calls: null, ...choice.delta }, finish_reason }
  }
}

/** Each chunk with an id of its own, the first with none. */
function* renamed(events: Iterable<DataEvent>): Generator<DataEvent> {
  let count = 0
  for (const { data } of events) {
    yield { data: { ...(data as object), id: count === 0 ? '' : `chatcmpl-other-${count}` } }
    count++
  }
}
