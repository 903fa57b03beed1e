import type { Answer, StreamEvent } from '../scenario.ts'
import type { Script as ServiceScript, Scripts as ServiceScripts, Wanted as ServiceWanted } from '../service/scripts.ts'
import type { AmazonQAsk } from './ask.ts'
import { toStream } from './events.ts'
import type { ExceptionName } from './exceptions.ts'

export type Script = ServiceScript<AmazonQAsk>
export type Scripts = ServiceScripts<AmazonQAsk>
export type Wanted = ServiceWanted<AmazonQAsk, ExceptionName>

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
