import { toPage } from '../../error-shapes.ts'
import type { Answer, Ending } from '../../scenario.ts'
import type { AmazonQAsk } from '../ask.ts'
import { toFaultBody, toWishedFault } from '../error-answer.ts'
import { callEvents, opening, textEvents, toCall, toStream } from '../events.ts'
import { EXCEPTION_NAMES } from '../exceptions.ts'
import { BROKEN_FRAMES, toErrorFrame, toEvent, toException } from '../frames.ts'
import { toAnswer } from '../script.ts'
import type { Script, Scripts } from '../script.ts'

const PLACES = ['start', 'opened', 'text', 'tool', 'end'] as const
type Place = (typeof PLACES)[number]

const AT = { at: `behind what it comes: ${PLACES.join(', ')} (text)` }
const AFTER = {
  bytes: 'bytes of the body that go out before; 0: the headers only',
  frames: 'frames that go out before, where no bytes are given (3)',
}
const BROKEN_NAMES = Object.keys(BROKEN_FRAMES) as readonly (keyof typeof BROKEN_FRAMES)[]

/** Streams in which something goes wrong. */
export const TROUBLES: Scripts = {
  exception: {
    summary: 'An exception in the stream; the option `error` says which (internal).',
    options: {
      ...AT,
      as: 'member: called by its place in the model, name: by its own name (member)',
      more: '1: text comes behind it (0)',
    },
    hasError: true,
    answer: troubled(ask => {
      const fault = toWishedFault(ask.options.oneOf('error', EXCEPTION_NAMES, 'internal'), ask.options)
      const isNamed = ask.options.oneOf('as', ['member', 'name'], 'member') === 'name'
      return toException(isNamed ? fault.exception : 'error', toFaultBody(fault))
    }),
  },
  'error-frame': {
    summary: 'An error in the stream that is in no model; the option `error` says which (internal).',
    options: { ...AT, more: '1: text comes behind it (0)' },
    hasError: true,
    answer: troubled(ask => {
      const { exception, message } = toWishedFault(ask.options.oneOf('error', EXCEPTION_NAMES, 'internal'), ask.options)
      return toErrorFrame(exception, message)
    }),
  },
  'invalid-state': {
    summary: 'An event that says that the state is not valid.',
    options: { ...AT, more: '0: nothing comes behind it (1)' },
    answer: troubled(
      () => toEvent('invalidStateEvent', { reason: 'INVALID_TASK_ASSIST_PLAN', message: 'The plan is not valid.' }),
      true,
    ),
  },
  'broken-frame': {
    summary: 'A frame that is none, then more text.',
    options: { ...AT, how: `what is wrong: ${BROKEN_NAMES.join(', ')} (message-crc)`, more: '0: no more text (1)' },
    answer: troubled(ask => BROKEN_FRAMES[ask.options.oneOf('how', BROKEN_NAMES, 'message-crc')], true),
  },
  empty: {
    summary: 'A stream that tells only of itself: no text, no tool.',
    answer: ask => toAnswer(() => toStream(ask, [])),
  },
  nothing: { summary: 'A stream without a single frame.', answer: () => toAnswer(() => []) },
  half: {
    summary: 'Whole frames, but the stream ends in the middle of the answer without a word about it.',
    options: { frames: 'how many (3)' },
    answer: ask => toAnswer(() => firstOf(toStream(ask, textEvents(ask)), ask.options.number('frames', 3))),
  },
  json: {
    summary: 'JSON with a good status, although a stream was asked for.',
    answer: () => ({ body: '{"message":"Simulated words that are no stream.","Output":{"__type":"simulated"}}' }),
  },
  html: {
    summary: 'A web page with a good status.',
    answer: () => ({ body: toPage(200), defaults: { type: 'text/html' } }),
  },
  page: {
    summary: 'A web page that says that it is a stream.',
    answer: () => ({ body: toPage(200), defaults: { type: 'application/vnd.amazon.eventstream' } }),
  },
  sse: {
    summary: 'A stream in the dialect of others.',
    answer: () => ({
      body: 'data: {"choices":[{"index":0,"delta":{"content":"no"}}]}\n\ndata: [DONE]\n\n',
      defaults: { type: 'text/event-stream' },
    }),
  },
  silence: { summary: 'Takes the request and never answers.', answer: () => ({ headless: true, ending: 'open' }) },
  stall: broken('Falls silent in mid-stream.', 'open'),
  reset: broken('A TCP reset in mid-stream.', 'reset'),
  drop: broken('The connection is closed before the body has ended.', 'drop'),
  cut: broken(
    'The body ends as it should, but in the middle of a frame: after 300 bytes where nothing is said.',
    'end',
    300,
  ),
}

/** A stream with a frame in it at the place that the option names. */
function troubled(toTrouble: (ask: AmazonQAsk) => Buffer, more = false): (ask: AmazonQAsk) => Answer {
  return ask => {
    const place = ask.options.oneOf('at', PLACES, 'text')
    const goesOn = ask.options.flag('more', more)
    const trouble = toTrouble(ask)
    return toAnswer(function* () {
      yield* BEFORE[place](ask)
      yield trouble
      if (goesOn) yield* textEvents(ask)
    })
  }
}

/** What a stream has said before something goes wrong. */
const BEFORE: Readonly<Record<Place, (ask: AmazonQAsk) => Iterable<Buffer>>> = {
  start: () => [],
  opened: opening,
  *text(ask) {
    yield* opening(ask)
    yield* firstOf(textEvents(ask), 3)
  },
  *tool(ask) {
    yield* opening(ask)
    yield* firstOf(callEvents(toCall(ask)), 2)
  },
  end: ask => toStream(ask, textEvents(ask)),
}

function* firstOf(frames: Iterable<Buffer>, count: number): Generator<Buffer> {
  let left = count
  for (const frame of frames) {
    if (left-- <= 0) return
    yield frame
  }
}

function broken(summary: string, ending: Ending, usualBytes?: number): Script {
  return {
    summary,
    options: AFTER,
    answer(ask) {
      const { options } = ask
      const hasBytes = options.has('bytes') || (usualBytes !== undefined && !options.has('frames'))
      if (hasBytes) {
        const cutAfter = options.number('bytes', usualBytes ?? 0)
        return toAnswer(() => toStream(ask, textEvents(ask)), { cutAfter, ending })
      }
      return toAnswer(() => firstOf(toStream(ask, textEvents(ask)), options.number('frames', 3)), { ending })
    },
  }
}
