import { DIALECTS, type BenchDialect } from './dialects.ts'

/** In the text of each event `@`, then so many digits: when it was written, microseconds. */
export const STAMP_DIGITS = 15

export interface EventHandlers {
  /** An event with text is complete. */
  stamped(writtenUs: number): void
  /** The last event has come. */
  done(): void
}

/** Takes a body of server-sent events, cut anywhere, and tells of those that matter to the measurement. */
export function createEventReader(
  handlers: EventHandlers,
  { textEvent, lastEvent }: Pick<BenchDialect, 'textEvent' | 'lastEvent'> = DIALECTS.chat,
): (text: string) => void {
  let rest = ''
  return piece => {
    const text = rest === '' ? piece : rest + piece
    let at = 0
    for (;;) {
      const end = text.indexOf('\n\n', at)
      if (end === -1) break
      const mark = text.indexOf('@', at)
      if (mark !== -1 && mark < end && text.startsWith(textEvent, at)) {
        handlers.stamped(Number(text.slice(mark + 1, mark + 1 + STAMP_DIGITS)))
      } else if (text.startsWith(lastEvent, at)) handlers.done()
      at = end + 2
    }
    rest = at === text.length ? '' : text.slice(at)
  }
}
