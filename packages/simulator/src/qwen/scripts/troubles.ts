import { toPage } from '../../error-shapes.ts'
import type { Answer, StreamEvent } from '../../scenario.ts'
import { callChoices, QWEN_HEAD, textChoices, toChoice, toChunk, toStream, toWhole, withRole } from '../chunks.ts'
import type { QwenAsk } from '../chunks.ts'
import { toCompatBody, toErrorFrame, toNativeBody, WAF_PAGE } from '../error-answer.ts'
import { ERROR_NAMES, toServiceFault } from '../errors.ts'
import type { ServiceFault } from '../errors.ts'
import type { Script, Scripts } from '../script.ts'
import { toText } from './texts.ts'

/** The shapes of an error inside a stream: what comes as event number `id`, and whether [DONE] follows. */
interface Frame {
  readonly events: (fault: ServiceFault, ask: QwenAsk, id: number) => readonly StreamEvent[]
  readonly done: '0' | '1'
}

const { id: CHUNK_ID, requestId } = QWEN_HEAD

const FRAMES = {
  a: { events: (fault, _, id) => [{ bytes: toErrorFrame(fault, requestId, id) }], done: '0' },
  b: { events: fault => [{ data: toCompatBody(fault, requestId, { id: CHUNK_ID }) }], done: '1' },
  c: {
    events: ({ message }, ask) => [toChunk(ask, [toChoice({ content: message }, 'error_finish')])],
    done: '1',
  },
  d: { events: fault => [{ bytes: `${JSON.stringify(toCompatBody(fault, requestId))}\n` }], done: '0' },
  'd-flat': { events: fault => [{ bytes: `${JSON.stringify(toNativeBody(fault, requestId))}\n` }], done: '0' },
  e: { events: () => [{ bytes: WAF_PAGE }], done: '0' },
} satisfies Record<string, Frame>

const FRAME_NAMES = Object.keys(FRAMES) as readonly (keyof typeof FRAMES)[]
const PLACES = ['start', 'role', 'content', 'tool'] as const

const AFTER = { after: 'bytes of the body that go out before (600 of a stream, half of a JSON body)' }

/** Streams in which something goes wrong. */
export const TROUBLES: Scripts = {
  'error-frame': {
    summary: 'An error inside a stream that began well; the option `error` says which (allocated-quota).',
    options: {
      frame:
        'how it is written: a = native, b = error object, c = error_finish, d = JSON without data:, d-flat, e = HTML (a)',
      at: `where it stands: ${PLACES.join(', ')} (content)`,
    },
    hasError: true,
    answer: errorFrame,
  },
  'error-finish': {
    summary: 'A throttle as text with the finish reason `error_finish`, before any other text.',
    hasError: true,
    answer: ask => troubled(ask, 'c', 'role', { ...faultOf(ask), message: 'Throttling: TPM(1000000/1000000)' }),
  },
  'limit-json': {
    summary: 'An ordinary JSON body that carries the words of a limit, and no choices.',
    hasError: true,
    answer: ask => ({ body: JSON.stringify({ message: faultOf(ask).message, success: false }) }),
  },
  json: {
    summary: 'One JSON completion, although a stream was asked for.',
    answer: ask => ({ body: JSON.stringify(toWhole(ask, toText({ ...ask, includeUsage: true }))) }),
  },
  html: {
    summary: 'A web page with a good status.',
    options: { waf: '1: that of the firewall (0)' },
    answer: ask => ({
      body: ask.options.flag('waf', false) ? WAF_PAGE : toPage(200),
      defaults: { type: 'text/html' },
    }),
  },
  silence: { summary: 'Takes the request and never answers.', answer: () => ({ headless: true, ending: 'open' }) },
  stall: {
    summary: 'Falls silent in mid-stream; where no stream is asked for, before the body.',
    options: { after: 'events before the silence; 0: the headers only (3)' },
    answer: stall,
  },
  reset: broken('A TCP reset in mid-stream.', 'reset'),
  drop: broken('The connection is closed before the body has ended.', 'drop'),
}

function faultOf(ask: QwenAsk): ServiceFault {
  return toServiceFault(ask.options.oneOf('error', ERROR_NAMES, 'allocated-quota'), {
    message: ask.options.text('message'),
  })
}

function errorFrame(ask: QwenAsk): Answer {
  const { options } = ask
  return troubled(ask, options.oneOf('frame', FRAME_NAMES, 'a'), options.oneOf('at', PLACES, 'content'), faultOf(ask))
}

function troubled(
  ask: QwenAsk,
  name: keyof typeof FRAMES,
  place: (typeof PLACES)[number],
  fault: ServiceFault,
): Answer {
  if (!ask.stream) return { body: JSON.stringify(toCompatBody(fault, requestId)) }
  const frame: Frame = FRAMES[name]
  const before = [...BEGINNINGS[place](ask)]
  return {
    events: () => [...before, ...frame.events(fault, ask, before.length + 1)],
    defaults: { done: frame.done },
  }
}

/** What a stream has said before something goes wrong. */
const BEGINNINGS: Readonly<Record<(typeof PLACES)[number], (ask: QwenAsk) => Iterable<StreamEvent>>> = {
  start: () => [],
  role: ask => firstOf(toText(ask), 1),
  content: ask => firstOf(toText(ask), 3),
  tool: ask => firstOf(toStream(ask, withRole(callChoices(ask, 0))), 3),
}

function* firstOf(events: Iterable<StreamEvent>, count: number): Generator<StreamEvent> {
  let left = count
  for (const event of events) {
    if (left-- === 0) return
    yield event
  }
}

function stall(ask: QwenAsk): Answer {
  const after = ask.options.number('after', 3)
  if (!ask.stream) return { body: '', chunked: true, ending: 'open' }
  const plain = { ...ask, includeUsage: false }
  return { events: () => firstOf(toStream(plain, textChoices(plain)), after), defaults: { done: '0' }, ending: 'open' }
}

function broken(summary: string, ending: 'reset' | 'drop'): Script {
  return {
    summary,
    options: AFTER,
    answer(ask) {
      const body = JSON.stringify(toWhole(ask, toText({ ...ask, includeUsage: true })))
      const usual = ask.stream ? 600 : Math.floor(body.length / 2)
      const cutAfter = ask.options.number('after', usual)
      return { ...(ask.stream ? { events: () => toText(ask) } : { body }), cutAfter, ending }
    },
  }
}
