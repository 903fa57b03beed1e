/** What a client of the chat dialect got. */
export interface ClientStream {
  /** The JSON of each event, in order. */
  readonly events: readonly unknown[]
  /** Whether `[DONE]` came, last. */
  readonly done: boolean
}

// eslint-disable-next-line no-control-regex
const LINE_BREAKS = /[\u0000-\u0009\u000b-\u001f\u0085\u2028\u2029]/

/**
 * The text of a stream as the strictest of clients reads it: one line of JSON in each event, LF, and nothing that any
 * reader of lines takes for the end of one. Knows nothing of the code that wrote it.
 * @throws {Error} where the text is anything else
 */
export function parseClientStream(text: string): ClientStream {
  const broken = LINE_BREAKS.exec(text)
  if (broken !== null) throw new Error(`There is a raw ${JSON.stringify(broken[0])} at ${broken.index}.`)
  if (text !== '' && !text.endsWith('\n\n')) throw new Error('The last event does not end.')
  const blocks = text.split('\n\n').slice(0, -1)
  const events: unknown[] = []
  for (const [at, block] of blocks.entries()) {
    if (block.startsWith(':') && !block.includes('\n')) continue
    const data = /^data: (.+)$/.exec(block)?.[1]
    if (data === undefined) throw new Error(`No single data line: ${JSON.stringify(block)}`)
    if (data === '[DONE]') {
      if (at !== blocks.length - 1) throw new Error('Something follows [DONE].')
      return { events, done: true }
    }
    events.push(JSON.parse(data))
  }
  return { events, done: false }
}
