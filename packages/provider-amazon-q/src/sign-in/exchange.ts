import type { Upstream } from '@millrace/core'
import { readAtMost } from '@millrace/sse-core'

/** How the servers that give and renew tokens are reached. */
export interface SignInServer {
  readonly upstream: Upstream
  /** Stands in for all of them; undefined for those that each login has. */
  readonly authUrl: string | undefined
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const LIMIT_MS = 10_000
const TIMEOUTS = { connect: LIMIT_MS, firstByte: LIMIT_MS, idle: LIMIT_MS, total: LIMIT_MS }
const MAX_BYTES = 256 * 1024

/** What a server answers to something confidential, read once. @throws {UpstreamError} of the connection */
export async function exchange(
  upstream: Upstream,
  { url, headers, body }: { url: URL; headers: Readonly<Record<string, string>>; body: Buffer },
  signal: AbortSignal,
): Promise<Reply> {
  const reply = await upstream.request({
    method: 'POST',
    url,
    headers,
    body,
    confidential: true,
    timeouts: TIMEOUTS,
    requestId: 'sign-in',
    signal,
  })
  return { status: reply.status, headers: reply.headers, body: await readAtMost(reply.body, MAX_BYTES) }
}
