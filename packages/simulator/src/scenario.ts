import type { Options } from './options.ts'

/** A server-sent event. An object goes out as JSON, a string as it is. */
export interface DataEvent {
  readonly data: object | string
  /** The event's name, where it has one. */
  readonly event?: string
  /** Lines that stand before all others, as they are. */
  readonly before?: readonly string[]
}

/** Bytes that go out as they are, whatever framing was asked for. */
interface RawEvent {
  readonly bytes: string | Buffer
}

export type StreamEvent = DataEvent | RawEvent

/** What a chat request asks for, as far as answers depend on it. */
export interface Ask {
  /** As the client wrote it, options included. */
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  /** How many choices are wanted (`n`). */
  readonly choices: number
  /** The names of the first few tools that the request declares. */
  readonly tools: readonly string[]
  /** Whether the conversation ends with the result of a tool. */
  readonly hasToolResult: boolean
  readonly options: Options
  /** Text of the last user message; empty unless the scenario `varies`. */
  readonly prompt: string
  /** How many requests with this model came so far, this one included; 1 unless the scenario `varies`. */
  readonly attempt: number
  /** From 0 to 1, the same sequence after each start or reset. */
  readonly random: () => number
}

/**
 * How an answer ends once its last byte is out: properly; not at all (`open`); with a TCP reset; with the socket closed
 * but the body not ended (`drop`).
 */
export type Ending = 'end' | 'open' | 'reset' | 'drop'

/** What goes back to the client: `events` as a stream, or else `body`. */
export interface Answer {
  /** 200 where not given. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** A function, so that a plan can be carried out any number of times. */
  readonly events?: () => Iterable<StreamEvent>
  readonly body?: string | Buffer
  /** The body's length is not told beforehand. */
  readonly chunked?: boolean
  /** Nothing is sent at all, headers included: only the ending comes. */
  readonly headless?: boolean
  /** So many bytes of the body come one at a time, each a write, and the rest in one write. */
  readonly trickle?: number
  /** So many bytes of the body go out, and then comes the ending. */
  readonly cutAfter?: number
  /** How the writes of the body are cut anew. */
  readonly recut?: (writes: Iterable<Buffer>) => Iterable<Buffer>
  /** No two writes in the same turn of the event loop, so that they stay apart on the wire. */
  readonly apart?: true
  readonly ending?: Ending
  /** How many times the events are compressed. */
  readonly gzipLayers?: number
  /** Common options that the scenario sets where the request does not. */
  readonly defaults?: Readonly<Record<string, string>>
}

export interface Scenario {
  readonly summary: string
  /** The options that it has beside the common ones: name → meaning. */
  readonly options?: Readonly<Record<string, string>>
  /** Two equal requests may get different answers: none is kept for the next request. */
  readonly varies?: true
  /** Answers an embeddings request too; all others leave those alone. */
  readonly anyEndpoint?: true
  /** @throws {OptionError} an option has a value that it cannot have */
  readonly answer: (ask: Ask, ordinary: () => Answer) => Answer
}

export type Scenarios = Readonly<Record<string, Scenario>>
