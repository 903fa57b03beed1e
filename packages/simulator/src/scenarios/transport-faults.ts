import { toText } from '../chunks.ts'
import type { Answer, Ask, Ending, Scenario, Scenarios, StreamEvent } from '../scenario.ts'
import { ordinaryChat, toWhole } from './chat-scenario.ts'
import { behindComment } from './large-streams.ts'

/** Ordinary answers on a connection that fails. */
export const TRANSPORT_FAULTS: Scenarios = {
  'refuse-headers': {
    summary: 'Takes the request and never answers.',
    anyEndpoint: true,
    answer: () => ({ headless: true, ending: 'open' }),
  },
  hangup: {
    summary: 'Closes the connection instead of answering.',
    options: {
      how: 'drop: it is closed, reset: it is reset (drop)',
      times: 'how many requests get this before the rest are answered (all)',
    },
    varies: true,
    anyEndpoint: true,
    answer: (ask, ordinary) =>
      ask.attempt > ask.options.number('times', Number.MAX_VALUE)
        ? ordinary()
        : { headless: true, ending: ask.options.oneOf('how', ['drop', 'reset'], 'drop') },
  },
  stall: {
    summary: 'Falls silent in mid-stream; where no stream is asked for, in the middle of the JSON.',
    options: { after: 'events before the silence; 0: the headers only (3)' },
    answer: stall,
  },
  trickle: {
    summary: 'One byte at a time, one a second unless the common option `pace` says otherwise.',
    options: { bytes: 'how many come like that before the rest comes at once (all)' },
    answer: ask => ({
      ...ordinaryChat(ask),
      trickle: ask.options.number('bytes', Number.MAX_SAFE_INTEGER),
      defaults: { pace: '1000' },
    }),
  },
  reset: cut('A TCP reset in mid-stream.', { ending: 'reset' }),
  cut: cut('The body ends properly, but in the middle of an event.', { ending: 'end', chunked: true }),
  drop: cut('The connection is closed before the body has ended.', { ending: 'drop' }),
  'truncated-json': {
    summary: 'JSON that is shorter than its content-length says.',
    anyEndpoint: true,
    answer: (ask, ordinary) => {
      const { body = toWhole(ask, toText) } = ordinary()
      return { body, cutAfter: Math.floor(body.length / 2), ending: 'drop' }
    },
  },
  gzip: {
    summary: 'An ordinary answer, compressed although nobody said it may be.',
    options: {
      layers: 'how many times (1)',
      bomb: 'bytes of a comment before the answer that are next to nothing when compressed (0)',
    },
    answer: gzip,
  },
}

function stall(ask: Ask): Answer {
  const after = ask.options.number('after', 3)
  if (ask.stream) return { events: () => firstOf(toText(ask), after), defaults: { done: '0' }, ending: 'open' }
  const body = toWhole(ask, toText)
  return { body, cutAfter: after === 0 ? 0 : Math.floor(body.length / 2), ending: 'open' }
}

function* firstOf(events: Iterable<StreamEvent>, count: number): Generator<StreamEvent> {
  let left = count
  for (const event of events) {
    if (left-- === 0) return
    yield event
  }
}

function cut(summary: string, { ending, chunked }: { readonly ending: Ending; readonly chunked?: true }): Scenario {
  return {
    summary,
    options: { after: 'bytes of the body that go out before (600 of a stream, half of a JSON body)' },
    answer: ask => {
      const answer = ordinaryChat(ask)
      const usual = ask.stream ? 600 : Math.floor((answer.body ?? '').length / 2)
      return { ...answer, ...(chunked && { chunked }), cutAfter: ask.options.number('after', usual), ending }
    },
  }
}

function gzip(ask: Ask): Answer {
  const gzipLayers = ask.options.number('layers', 1)
  const bomb = ask.options.number('bomb', 0)
  const answer = bomb === 0 ? ordinaryChat(ask) : { events: () => behindComment(ask, bomb) }
  return { ...answer, chunked: true, gzipLayers }
}
