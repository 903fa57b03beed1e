import { EventStreamCodec, type MessageHeaders } from '@smithy/eventstream-codec'

const codec = new EventStreamCodec(
  bytes => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  text => Buffer.from(text),
)

/** A message with these headers, all of them texts. */
export function message(headers: Readonly<Record<string, string>>, payload: unknown = ''): Buffer {
  const values: MessageHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }]),
  )
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return Buffer.from(codec.encode({ headers: values, body: Buffer.from(body) }))
}

export function event(kind: string, payload: unknown): Buffer {
  return message({ ':event-type': kind, ':content-type': 'application/json', ':message-type': 'event' }, payload)
}

/** A whole answer that says this. */
export function saying(...texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map(content => event('assistantResponseEvent', { content })))
}
