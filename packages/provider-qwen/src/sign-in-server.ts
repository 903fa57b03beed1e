import { randomUUID } from 'node:crypto'
import { retryAfterOf } from '@millrace/sse-core'
import { parseObject, USER_AGENT, type Timeouts, type Upstream } from '@millrace/core'

/** The sign-in server's own address. */
export const AUTH_URL = 'https://chat.qwen.ai'
/** The public client that all of Qwen's command-line programs are. */
export const CLIENT_ID = 'f0304373b74a44d2b584a3fb70ca9e56'

const MAX_BYTES = 64 * 1024

/** How the sign-in server is reached. */
export interface SignInServer {
  readonly upstream: Upstream
  readonly timeouts: Timeouts
  /** Its root; {@link AUTH_URL} where not given. */
  readonly authUrl?: string | undefined
}

export interface SignInAnswer {
  readonly status: number
  /** The JSON object that it is; undefined for anything else. */
  readonly value: Readonly<Record<string, unknown>> | undefined
  /** A web page, whatever its status, is the firewall in front of the server, and passes. */
  readonly isPage: boolean
  /** `error`, where there is one. */
  readonly error: string
  /** What it says of an error, fit to be shown once it is made safe. */
  readonly words: string
  readonly retryAfterMs: number | undefined
}

/** The answer to a form, read once. @throws {UpstreamError} of the connection */
export async function postForm(
  { upstream, timeouts, authUrl = AUTH_URL }: SignInServer,
  path: 'device/code' | 'token',
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SignInAnswer> {
  const reply = await upstream.request({
    method: 'POST',
    url: new URL(`${authUrl.replace(/\/+$/, '')}/api/v1/oauth2/${path}`),
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      // Without an agent the firewall in front of the server asks for a captcha.
      'user-agent': USER_AGENT,
      'x-request-id': randomUUID(),
    },
    body: Buffer.from(new URLSearchParams(form).toString().replaceAll('+', '%20')),
    confidential: true,
    timeouts,
    requestId: 'sign-in',
    signal,
  })
  const reads: Buffer[] = []
  let length = 0
  for await (const read of reply.body) {
    reads.push(read)
    length += read.length
    if (length > MAX_BYTES) break
  }
  const body = Buffer.concat(reads).toString()
  const value = parseObject(body)
  const text = (name: string): string => (typeof value?.[name] === 'string' ? value[name] : '')
  return {
    status: reply.status,
    value,
    isPage: body.trimStart().startsWith('<'),
    error: text('error'),
    words: [text('error'), text('error_description')].filter(Boolean).join(': '),
    retryAfterMs: retryAfterOf(reply.headers, Date.now()),
  }
}
