import { toCompletion } from '../completion.ts'
import { toText } from '../chunks.ts'
import type { Answer, Ask, Scenario, StreamEvent } from '../scenario.ts'

interface Extras extends Pick<Answer, 'headers'>, Pick<Scenario, 'options' | 'varies'> {
  /** Common options that are set for the stream where the request does not set them. */
  readonly defaults?: Answer['defaults']
  /** The events of which a whole answer is made, where the stream's own would make none. */
  readonly whole?: (ask: Ask) => Iterable<StreamEvent>
  /** Stands before the JSON of a whole answer. */
  readonly prefix?: string
}

/** A scenario that is a stream of events, and one completion of the same content where no stream is asked for. */
export function chatScenario(
  summary: string,
  events: (ask: Ask) => Iterable<StreamEvent>,
  { headers = {}, defaults = {}, options = {}, varies, whole = events, prefix = '' }: Extras = {},
): Scenario {
  return {
    summary,
    options,
    ...(varies && { varies }),
    answer: ask =>
      ask.stream ? { headers, defaults, events: () => events(ask) } : { headers, body: prefix + toWhole(ask, whole) },
  }
}

/** The completion, as JSON, that the events add up to. */
export function toWhole(ask: Ask, events: (ask: Ask) => Iterable<StreamEvent>): string {
  return JSON.stringify(toCompletion(ask, events({ ...ask, includeUsage: true })))
}

/** What is answered where nothing special is asked for. */
export function ordinaryChat(ask: Ask): Answer {
  return ask.stream ? { events: () => toText(ask) } : { body: toWhole(ask, toText) }
}
