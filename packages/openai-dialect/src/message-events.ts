import { isObject, UpstreamError, type Usage } from '@millrace/core'
import { toUpstreamError } from '@millrace/sse-core'

/** The events of one stream in Anthropic's Messages, on their way to a client that speaks that too. */
interface MessageEvents {
  /** The whole events that these bytes complete, as they came; not the one that reports a failure, and nothing behind the last. */
  push(bytes: Buffer): Buffer
  /** Whether the last event was there, for better or worse. */
  isOver(): boolean
  /** To be called when nothing more comes. @throws {UpstreamError} what the upstream reported; `upstream_truncated` */
  end(): void
}

const MAX_EVENT_BYTES = 16 * 1024 * 1024
const EMPTY = Buffer.alloc(0)
const LF = 0x0a
const CR = 0x0d
/** Enough of an event to hold its name. */
const NAME_BYTES = 48

/** @param onUsage told whenever the upstream says something of it; the numbers add up over the stream */
export function createMessageEvents(onUsage: (usage: Usage) => void): MessageEvents {
  let held: Buffer = EMPTY
  /** What ends an event: known from the first line on. */
  let boundary: string | undefined
  let told: Readonly<Record<string, unknown>> = {}
  let outcome: 'good' | UpstreamError | undefined

  /** Whether the event is one to hand on. */
  function look(event: Buffer): boolean {
    const name = /^event: *(\w+)/.exec(event.toString('latin1', 0, NAME_BYTES))?.[1]
    if (name === 'message_start' || name === 'message_delta') {
      const data = dataOf(event)
      const message = isObject(data['message']) ? data['message'] : data
      told = { ...told, ...(isObject(message['usage']) ? message['usage'] : undefined) }
      const usage = toUsage(told)
      if (usage !== undefined) onUsage(usage)
    } else if (name === 'message_stop') outcome = 'good'
    else if (name === 'error') outcome = toUpstreamError(dataOf(event))
    return name !== 'error'
  }

  /** Behind the last whole event to hand on. */
  function endOfEvents(read: Buffer, between: string): number {
    let end = 0
    while (outcome === undefined) {
      const at = read.indexOf(between, end, 'latin1')
      if (at === -1) break
      const next = at + between.length
      if (look(read.subarray(end, next))) end = next
    }
    return end
  }

  return {
    push(bytes) {
      const read = held.length === 0 ? bytes : Buffer.concat([held, bytes])
      boundary ??= boundaryOf(read)
      const end = boundary === undefined ? 0 : endOfEvents(read, boundary)
      held = read.subarray(end)
      if (held.length > MAX_EVENT_BYTES) throw malformed()
      return read.subarray(0, end)
    },
    isOver: () => outcome !== undefined,
    end() {
      if (outcome === 'good') return
      if (outcome !== undefined) throw outcome
      if (/^\s*[{<]/.test(held.toString('latin1', 0, NAME_BYTES))) throw noStream(held)
      throw new UpstreamError('upstream_truncated', 'The upstream stopped before the end of its message.')
    },
  }
}

/** Two ends of lines, of the kind that the first one is. */
function boundaryOf(read: Buffer): string | undefined {
  const at = read.indexOf(LF)
  if (at === -1) return undefined
  return read[at - 1] === CR ? '\r\n\r\n' : '\n\n'
}

/** @throws {UpstreamError} `upstream_malformed` */
function dataOf(event: Buffer): Readonly<Record<string, unknown>> {
  const lines = event.toString().match(/^data:.*$/gm) ?? []
  try {
    const data: unknown = JSON.parse(lines.map(line => line.slice('data:'.length)).join('\n'))
    if (isObject(data)) return data
  } catch {
    // Said below, for other data as well.
  }
  throw malformed()
}

/** What counts all that was read counts what was read from a cache, or written to it, too. */
export function toUsage(said: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  const [input, written, read, output] = [
    said['input_tokens'],
    said['cache_creation_input_tokens'],
    said['cache_read_input_tokens'],
    said['output_tokens'],
  ].map(count => (typeof count === 'number' && count > 0 ? Math.floor(count) : 0)) as [number, number, number, number]
  const prompt_tokens = input + written + read
  return {
    prompt_tokens,
    completion_tokens: output,
    total_tokens: prompt_tokens + output,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
  }
}

function malformed(): UpstreamError {
  return new UpstreamError('upstream_malformed', 'The upstream sent an event that cannot be read.')
}

/** For what is JSON, it may say why, or a web page. */
function noStream(body: Buffer): UpstreamError {
  try {
    const value: unknown = JSON.parse(body.toString())
    if (isObject(value) && value['error'] != null) return toUpstreamError(value)
  } catch {
    // A web page says nothing.
  }
  return new UpstreamError('upstream_bad_response', 'The upstream gave no stream: is `messagesUrl` right?')
}
