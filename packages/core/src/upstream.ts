/** Limits on one call, milliseconds. Each has its own code when it runs out. */
export interface Timeouts {
  /** Name look-up, connection and TLS: `connect_timeout`. */
  readonly connect: number
  /** From the request sent to the first byte of the body: `first_byte_timeout`. */
  readonly firstByte: number
  /** Between two reads of the body: `idle_timeout`. */
  readonly idle: number
  /** The whole call: `total_timeout`. */
  readonly total: number
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Its body or its answer holds credentials: neither may be shown, not even to whoever looks for a fault. */
  readonly confidential?: boolean
  readonly timeouts: Timeouts
  /** The request this call belongs to, as the log names it. */
  readonly requestId: string
  /** Aborts the call; a {@link GatewayError} given as the reason is what the call then fails with. */
  readonly signal: AbortSignal
}

/**
 * The body of an answer, one item per network read. To be iterated once; leaving the loop closes the connection,
 * slowness in it pauses the reading.
 * @throws {UpstreamError} the clocks' codes; `upstream_truncated` where the connection broke
 */
export interface UpstreamBody extends AsyncIterable<Buffer> {
  /** The answer is known to be whole but for its formal end: silence of `ms` from now on ends the body without error. */
  endWithin(ms: number): void
}

export interface UpstreamReply {
  readonly status: number
  /** Names in lower case; of a doubled header the values joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: UpstreamBody
}

/** The only way to the outside. */
export interface Upstream {
  /**
   * The answer as soon as its headers are there, whatever its status; redirects are not followed.
   * @throws {UpstreamError} `connect_failed`, `connect_timeout`, `tls_error`, `first_byte_timeout`, `total_timeout`
   */
  request(request: UpstreamRequest): Promise<UpstreamReply>
}
