import type { AmazonQAsk } from '../ask.ts'
import { callEvents, opening, toolEvent } from '../events.ts'
import { EXCEPTIONS } from '../exceptions.ts'
import { toErrorFrame, toEvent, toException } from '../frames.ts'
import { toAnswer } from '../script.ts'
import type { Script, Scripts } from '../script.ts'

const WEATHER = { id: 'tooluse_7QmWkq1xRZmP0a8yT2sBcA', name: 'get_weather', arguments: '' }
const TIME_ID = 'tooluse_Zk4nV9yTQyW6c1uE5hXoJg'

/** Answers that are the same, byte by byte, whatever is asked; only the id of the conversation is the request's. */
export const EXAMPLES: Scripts = {
  'example-text': example('A greeting.', () => [
    ...['Hello', ', world', '!'].map(content => toEvent('assistantResponseEvent', { content })),
    toEvent('contextUsageEvent', { contextUsagePercentage: 1.25 }),
    metering(0.0125),
  ]),
  'example-tools': example('A call with arguments in two fragments, and one without any.', () => [
    toEvent('assistantResponseEvent', { content: 'Let me look that up.' }),
    ...callEvents({ ...WEATHER, pieces: ['{"city": "Par', 'is", "unit": "c"}'] }),
    toolEvent(TIME_ID, 'get_time'),
    toolEvent(TIME_ID, 'get_time', { stop: true }),
    toEvent('contextUsageEvent', { contextUsagePercentage: 2.5 }),
    metering(0.0275),
    toEvent('metadataEvent', { stopReason: 'TOOL_USE' }),
  ]),
  'example-results': example(
    'Reasoning with its signature, text, a citation, an unknown event, counted tokens.',
    () => [
      toEvent('reasoningContentEvent', { text: 'Both results are in. ' }),
      toEvent('reasoningContentEvent', { signature: 'c2lnLWZvci1kb2Nz' }),
      toEvent('assistantResponseEvent', { content: 'Paris: 18 °C, ' }),
      toEvent('assistantResponseEvent', { content: 'local time 14:05.' }),
      toEvent('citationEvent', { citationLink: 'https://example.com/a', target: { location: 5 } }),
      toEvent('somethingNewEvent', { x: 1 }),
      toEvent('metadataEvent', {
        tokenUsage: { cacheReadInputTokens: 1024, outputTokens: 23, totalTokens: 1457, uncachedInputTokens: 410 },
      }),
      toEvent('metadataEvent', { stopReason: 'END_TURN' }),
    ],
  ),
  'example-exception': example('An exception behind the first words.', () => [
    toEvent('assistantResponseEvent', { content: 'Partial ans' }),
    toException('error', { message: EXCEPTIONS.internal.message, reason: null }),
  ]),
  'example-error': example('An error that is in no model, and nothing else.', () => [
    toErrorFrame('InternalFailure', 'An internal error occurred'),
  ]),
  'example-throttled': example('An exception by its name, and nothing else.', () => [
    toException('ThrottlingException', { message: EXCEPTIONS.throttled.message }),
  ]),
}

function metering(usage: number): Buffer {
  return toEvent('meteringEvent', { unit: 'credit', unitPlural: 'credits', usage })
}

function example(summary: string, frames: () => Iterable<Buffer>): Script {
  return {
    summary,
    answer: (ask: AmazonQAsk) =>
      toAnswer(function* () {
        yield* opening(ask)
        yield* frames()
      }),
  }
}
