import type { Call, Timeouts, Upstream, UpstreamReply } from '@millrace/core'

/** A service in the OpenAI dialect, as one account reaches it. */
export interface Service {
  readonly upstream: Upstream
  /** Root of the API, up to and including `/v1`. */
  readonly baseUrl: string
  /** What is sent with every request, keys included. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts: Timeouts
}

/**
 * A whole answer begins when it is finished, so its first byte may take five times as long as that of a stream: 10
 * minutes with the defaults, which is also what the official clients wait.
 */
const WHOLE_ANSWER_FACTOR = 5

interface Asking extends Pick<Call, 'signal' | 'requestId'> {
  /** Whether a stream is asked for; what is not one may take as long as a whole answer takes. */
  readonly stream: boolean
}

/** The answer to a POST of JSON, whatever its status, as soon as its headers are there. */
export function ask(
  { upstream, baseUrl, headers, timeouts }: Service,
  path: string,
  body: Buffer,
  { stream, signal, requestId }: Asking,
): Promise<UpstreamReply> {
  return upstream.request({
    method: 'POST',
    url: toUrl(baseUrl, path),
    headers: {
      ...headers,
      accept: stream ? 'text/event-stream' : 'application/json',
      'content-type': 'application/json',
    },
    body,
    timeouts: stream ? timeouts : { ...timeouts, firstByte: timeouts.firstByte * WHOLE_ANSWER_FACTOR },
    requestId,
    signal,
  })
}

/** An endpoint's URL; a base URL that goes on to the chat endpoint, as some write it, is understood. */
export function toUrl(baseUrl: string, path: string): URL {
  const base = baseUrl.replace(/\/+$/, '').replace(/\/chat\/completions$/, '')
  return new URL(`${base}/${path}`)
}
