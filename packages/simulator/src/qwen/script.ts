import type { Answer, StreamEvent } from '../scenario.ts'
import type { Script as ServiceScript, Scripts as ServiceScripts, Wanted as ServiceWanted } from '../service/scripts.ts'
import { toWhole } from './chunks.ts'
import type { QwenAsk } from './chunks.ts'
import type { ErrorName } from './errors.ts'

export type Script = ServiceScript<QwenAsk>
export type Scripts = ServiceScripts<QwenAsk>
export type Wanted = ServiceWanted<QwenAsk, ErrorName>

interface Extras extends Omit<Answer, 'events' | 'body' | 'defaults'>, Pick<Script, 'options'> {
  /** Common options that are set where the request does not set them. */
  readonly defaults?: Readonly<Record<string, string>>
  /** The events of which a whole answer is made, where the stream's own would make none. */
  readonly whole?: (ask: QwenAsk) => Iterable<StreamEvent>
}

/** A script that is a stream, and one completion of the same content where no stream is asked for. */
export function streamScript(
  summary: string,
  events: (ask: QwenAsk) => Iterable<StreamEvent>,
  { options = {}, defaults = {}, whole = events, ...answer }: Extras = {},
): Script {
  return {
    summary,
    options,
    answer(asked) {
      const ask = { ...asked, options: asked.options.withDefaults(defaults) }
      if (ask.stream) return { ...answer, defaults, events: () => inLines(ask, events(ask)) }
      return { body: JSON.stringify(toWhole(ask, whole({ ...ask, includeUsage: true }))) }
    },
  }
}

/** With the lines of the native dialect before each event, where that is asked for. */
function inLines(ask: QwenAsk, events: Iterable<StreamEvent>): Iterable<StreamEvent> {
  return ask.options.oneOf('lines', ['plain', 'native'], 'plain') === 'native' ? withNativeLines(events) : events
}

/** The same events as the native endpoint frames them: numbered from 1, and with their status. */
export function* withNativeLines(events: Iterable<StreamEvent>): Generator<StreamEvent> {
  let count = 0
  for (const event of events) {
    count++
    yield 'data' in event ? { ...event, before: [`id:${count}`, 'event:result', ':HTTP_STATUS/200'] } : event
  }
}
