/** One row per failure: its HTTP status, the `type` in the error envelope, and whether asking again may succeed. */
interface Failure {
  readonly status: number
  readonly type: string
  readonly retry: boolean
  /** What it means and what to do about it, for `docs/errors.md`. */
  readonly meaning: string
}

const request = 'invalid_request_error'

export const FAILURES = {
  invalid_json: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'The body is not one JSON object in UTF-8, or is nested too deep, or has a member twice.',
  },
  invalid_value: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'A member of the request has a wrong type or value; `param` names it.',
  },
  missing_required_parameter: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'A member that must be there is not; `param` names it.',
  },
  unsupported_parameter: {
    status: 400,
    type: request,
    retry: false,
    meaning:
      'The gateway never takes this member from a client, or the chosen model cannot honour it; `param` names it.',
  },
  bad_request: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'The bytes received are not a well-formed HTTP request.',
  },
  upstream_rejected: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'The upstream understood the request and refused it; its words are in the message.',
  },
  context_length_exceeded: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'The conversation is longer than the model can take: shorten it.',
  },
  content_filter: {
    status: 400,
    type: request,
    retry: false,
    meaning: 'The upstream refused the content of the request or of the answer.',
  },
  invalid_api_key: {
    status: 401,
    type: 'authentication_error',
    retry: false,
    meaning: 'No key, or not one of the keys of this gateway. Send `Authorization: Bearer KEY`.',
  },
  account_not_shared: {
    status: 403,
    type: 'permission_error',
    retry: false,
    meaning: 'Every account that could serve the request belongs to somebody else: use the key of its owner.',
  },
  model_not_found: {
    status: 404,
    type: request,
    retry: false,
    meaning: 'No configured provider serves a model of that name.',
  },
  unknown_url: { status: 404, type: request, retry: false, meaning: 'The gateway has no such endpoint.' },
  method_not_allowed: {
    status: 405,
    type: request,
    retry: false,
    meaning: 'The endpoint exists, but not for this method; `Allow` names those it has.',
  },
  request_timeout: { status: 408, type: 'timeout_error', retry: true, meaning: 'The request did not arrive in time.' },
  request_too_large: {
    status: 413,
    type: request,
    retry: false,
    meaning: 'The body is over `server.bodyLimit`, or over what the upstream takes.',
  },
  uri_too_long: { status: 414, type: request, retry: false, meaning: 'The URL is over 8 KiB.' },
  unsupported_media_type: {
    status: 415,
    type: request,
    retry: false,
    meaning: 'Bodies must be `application/json`, in UTF-8, and not compressed.',
  },
  expectation_failed: {
    status: 417,
    type: request,
    retry: false,
    meaning: 'An `Expect` header other than `100-continue`.',
  },
  headers_too_large: {
    status: 431,
    type: request,
    retry: false,
    meaning: 'Headers over 16 KiB in all, or more than 100 of them.',
  },
  rate_limit_exceeded: {
    status: 429,
    type: 'rate_limit_error',
    retry: true,
    meaning: 'The upstream limits the rate; `retry-after` is passed on where it is known.',
  },
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    retry: false,
    meaning: 'The upstream account has used up its quota or credit; asking again soon is no use.',
  },
  aborted: {
    status: 499,
    type: 'client_closed_request',
    retry: false,
    meaning: 'The client went away before the answer was whole. Seen in the log only.',
  },
  client_stall: {
    status: 499,
    type: 'client_closed_request',
    retry: false,
    meaning: 'The client stopped reading its stream for longer than `stream.stall`.',
  },
  internal_error: {
    status: 500,
    type: 'server_error',
    retry: true,
    meaning: 'A fault in the gateway. The log has the details under the same request id.',
  },
  upstream_auth_failed: {
    status: 502,
    type: 'upstream_error',
    retry: false,
    meaning: 'The upstream refused the key that the gateway holds for it: a matter for whoever runs the gateway.',
  },
  upstream_bad_response: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    meaning: 'The upstream answered with something that is no answer: a web page, a redirect, nothing.',
  },
  upstream_malformed: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    meaning: 'The upstream sent an event that cannot be read, or one that is over 16 MiB.',
  },
  upstream_truncated: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    meaning: 'The upstream stopped before the end of its answer. What had come is incomplete.',
  },
  upstream_error: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    meaning: 'The upstream reported a fault of its own.',
  },
  connect_failed: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    meaning: 'No connection to the upstream: refused, unreachable, or a name that does not resolve.',
  },
  tls_error: {
    status: 502,
    type: 'upstream_error',
    retry: false,
    meaning: 'No trusted connection to the upstream: its certificate is expired, self-signed or for another host.',
  },
  upstream_overloaded: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    meaning: 'The upstream is overloaded or down for now.',
  },
  gateway_shutdown: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    meaning: 'The gateway is shutting down; another instance, or the same a little later, will answer.',
  },
  upstream_timeout: {
    status: 504,
    type: 'timeout_error',
    retry: true,
    meaning: 'The upstream itself reported a timeout.',
  },
  connect_timeout: {
    status: 504,
    type: 'timeout_error',
    retry: true,
    meaning: 'No connection to the upstream within `timeouts.connect`.',
  },
  first_byte_timeout: {
    status: 504,
    type: 'timeout_error',
    retry: true,
    meaning: 'The upstream did not begin to answer within `timeouts.firstByte`.',
  },
  idle_timeout: {
    status: 504,
    type: 'timeout_error',
    retry: true,
    meaning: 'The upstream fell silent in the middle of its answer for longer than `timeouts.idle`.',
  },
  total_timeout: {
    status: 504,
    type: 'timeout_error',
    retry: true,
    meaning: 'The whole answer took longer than `timeouts.total`.',
  },
} as const satisfies Record<string, Failure>

export type FailureCode = keyof typeof FAILURES

interface FailureDetails {
  /** The request member at fault. */
  readonly param?: string | undefined
  readonly cause?: unknown
}

/**
 * A failure the client may be told of. `message` is shown to it as it stands: it holds no keys, no bodies and no
 * internal addresses; those go into `cause`, which only the log sees.
 */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError'
  readonly code: FailureCode
  readonly param: string | null

  constructor(code: FailureCode, message: string, { param, cause }: FailureDetails = {}) {
    // An expected outcome needs no stack, and a thousand of them come at once when a thousand clients leave.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, cause === undefined ? undefined : { cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.param = param ?? null
  }

  get status(): number {
    return FAILURES[this.code].status
  }

  get retry(): boolean {
    return FAILURES[this.code].retry
  }

  /** The error envelope of the OpenAI dialect; all four members are always there. */
  toBody(): { error: { message: string; type: string; param: string | null; code: string } } {
    return { error: { message: this.message, type: FAILURES[this.code].type, param: this.param, code: this.code } }
  }
}

interface UpstreamFailureDetails extends FailureDetails {
  readonly upstreamStatus?: number | undefined
  readonly retryAfterMs?: number | undefined
}

/** A failure of, or reported by, an upstream. */
export class UpstreamError extends GatewayError {
  override readonly name = 'UpstreamError'
  readonly upstreamStatus: number | undefined
  /** How long the upstream asked to be left alone, milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(code: FailureCode, message: string, details: UpstreamFailureDetails = {}) {
    super(code, message, details)
    this.upstreamStatus = details.upstreamStatus
    this.retryAfterMs = details.retryAfterMs
  }
}

/** What a signal that has fired means: its reason where that is a {@link GatewayError}, else `aborted`. */
export function toAborted({ reason }: AbortSignal): GatewayError {
  return reason instanceof GatewayError ? reason : new GatewayError('aborted', 'Nobody waits any more.')
}
