import type { ChatRequest, ChunkHead, Frame, Frames, GatewayError } from '@millrace/core'

/** The members of a body, as a client sent them. */
export type Members = Readonly<Record<string, unknown>>

/**
 * How one kind of client asks and is answered: its request → a {@link ChatRequest}, frames → its events or its JSON. Knows no
 * provider, and does no I/O.
 */
export interface Dialect {
  readonly name: string
  /** What the ids of its answers begin with. */
  readonly idPrefix: string
  /** What a body asks for. @throws {GatewayError} it is not a request, or asks for what no provider can do; with `param` */
  read(body: Members): Asked
  /** A failure that has a status of its own, as nothing has been answered yet. */
  toError(failure: GatewayError, requestId: string): ErrorAnswer
}

export interface ErrorAnswer {
  readonly status: number
  /** To be sent as JSON. */
  readonly body: object
}

/** One request, read. */
export interface Asked {
  /** As providers understand it; `stream` says whether the client wants a stream. */
  readonly chat: ChatRequest
  /** What is asked besides, one after another: the choices of each answer come after those of the one before. */
  readonly further?: readonly ChatRequest[] | undefined
  /** Whether the body says exactly what `chat` says, so that its bytes can be sent on. */
  readonly isVerbatim: boolean
  /** Whether the end of a stream has to tell the usage. A whole answer tells it always. */
  readonly includeUsage: boolean
  /** What the frames have to become before they are encoded or collected; they stay frames of the stream contract. */
  readonly adapt?: (frames: Frames, head: ChunkHead) => Frames
  /** For one streamed answer. @param promptBytes the size of the request */
  createEncoder(head: ChunkHead, promptBytes: number): Encoder
  /** The one JSON answer that the frames are the stream of. @throws what the frames throw: half an answer is none */
  collect(frames: Frames, head: ChunkHead): Promise<object>
}

/**
 * What one answer consists of, frames unless told → the events of one stream, in the order in which they are asked for; after
 * `end` or `fail` nothing more is.
 */
export interface Encoder<Item = readonly Frame[]> {
  /** What the item adds; may be empty. */
  encode(item: Item): Buffer
  /** What a client skips, for as long as there is nothing else to send. The first bytes of a stream, where it comes first. */
  heartbeat(): Buffer
  /** The good end. */
  end(): Buffer
  /** The bad end, also of a stream of which nothing was sent yet. */
  fail(failure: GatewayError): Buffer
  /** Whether a failure before the first byte is better told by a stream that fails than by a status. */
  readonly tellsInStream?: (failure: GatewayError) => boolean
}
