export interface NamedEvent {
  /** From its `event:` line. */
  readonly name: string
  readonly data: unknown
}

// eslint-disable-next-line no-control-regex
const LINE_BREAKS = /[\u0000-\u0009\u000b-\u001f\u0085\u2028\u2029]/

/**
 * The events as the strictest of readers takes them: a name and one line of JSON each, LF, comments between them, and
 * nothing that any reader takes for the end of a line. Those before the first fault, and that.
 */
export function readNamedEvents(stream: string): {
  readonly events: readonly NamedEvent[]
  readonly fault: string | undefined
} {
  const events: NamedEvent[] = []
  const broken = LINE_BREAKS.exec(stream)
  if (broken !== null) return { events, fault: `There is a raw ${JSON.stringify(broken[0])} at ${broken.index}.` }
  if (stream !== '' && !stream.endsWith('\n\n')) return { events, fault: 'The last event does not end.' }
  for (const part of stream.split('\n\n').slice(0, -1)) {
    if (part.startsWith(':') && !part.includes('\n')) continue
    const [, name, json] = /^event: ([\w.]+)\ndata: (\{.*\})$/.exec(part) ?? []
    if (name === undefined || json === undefined) return { events, fault: `No name and data: ${JSON.stringify(part)}` }
    try {
      events.push({ name, data: JSON.parse(json) })
    } catch {
      return { events, fault: `No JSON: ${JSON.stringify(json)}` }
    }
  }
  return { events, fault: undefined }
}
