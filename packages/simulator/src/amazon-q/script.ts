import type { Answer, StreamEvent } from '../scenario.ts'
import type { AmazonQAsk } from './ask.ts'
import { toStream } from './events.ts'

/** A way to answer a chat. */
export interface Script {
  readonly summary: string
  /** The options that it has beside those that all have: name → meaning. */
  readonly options?: Readonly<Record<string, string>>
  /** The option `error` says what goes wrong in the answer, instead of taking its place. */
  readonly hasError?: true
  /** @throws {OptionError} an option has a value that it cannot have */
  readonly answer: (ask: AmazonQAsk) => Answer
}

export type Scripts = Readonly<Record<string, Script>>

/**
 * A script whose answer is a stream with all that belongs to one, around these frames; `stop` is its stop reason where
 * the option says none.
 */
export function streamScript(summary: string, frames: (ask: AmazonQAsk) => Iterable<Buffer>, stop?: string): Script {
  return { summary, answer: ask => toAnswer(() => toStream(ask, frames(ask), stop)) }
}

/** Frames as an answer. */
export function toAnswer(
  frames: () => Iterable<Buffer>,
  more: Omit<Answer, 'events' | 'body' | 'defaults'> = {},
): Answer {
  return {
    ...more,
    events: () => toEvents(frames()),
    // No event ends the stream: the end of the body does.
    defaults: { done: '0', type: 'application/vnd.amazon.eventstream' },
  }
}

function* toEvents(frames: Iterable<Buffer>): Generator<StreamEvent> {
  for (const bytes of frames) yield { bytes }
}
