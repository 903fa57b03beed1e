import { randomUUID } from 'node:crypto'
import { secretsIn, UpstreamError, USER_AGENT, type ProviderDeps, type UpstreamReply } from '@millrace/core'
import { readAtMost } from '@millrace/sse-core'
import type { AmazonQConfig } from './config.ts'
import { isRefusal, toAmazonQError, type AmazonQError } from './failures.ts'
import type { OperationRequest } from './operations.ts'
import { toReport, type Report } from './report.ts'
import type { Credentials } from './sign-in/credentials.ts'

/** As much of a refusal is read as words need. */
const MAX_FAILURE_BYTES = 64 * 1024
/** How often one request of a client may be sent at most, as the service is told. */
const MAX_ATTEMPTS = 3

/** What the requests that are made for one call have in common. */
export interface Sender {
  /** Asks with these credentials; where they are refused, once more when they are renewed. @throws {UpstreamError} */
  send(credentials: Credentials, request: OperationRequest): Promise<Sent>
}

/** A good answer, as far as its status tells. */
interface Sent {
  readonly reply: UpstreamReply
  /** The error for what the service reports in its answer, with no secrets of the request in it. */
  toError(report: Report): AmazonQError
}

export interface SenderOptions {
  readonly settings: AmazonQConfig
  readonly deps: ProviderDeps
  readonly requestId: string
  readonly signal: AbortSignal
}

export function createSender({ settings, deps, requestId, signal }: SenderOptions): Sender {
  const { upstream, timeouts } = deps
  const own = Object.entries(settings.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const)
  const common = {
    'user-agent': USER_AGENT,
    'x-amz-user-agent': USER_AGENT,
    'x-amzn-codewhisperer-optout': String(settings.optOut),
    'amz-sdk-invocation-id': randomUUID(),
    ...Object.fromEntries(own),
  }
  let attempts = 0

  async function attempt(credentials: Credentials, request: OperationRequest): Promise<Attempt> {
    const { method, url, body } = request
    const headers = { ...request.headers, ...common, 'amz-sdk-request': `attempt=${++attempts}; max=${MAX_ATTEMPTS}` }
    const authorised = await credentials.authorise({ method, url, headers, body }, signal)
    const reply = await upstream.request({
      method,
      url,
      headers: { ...headers, ...authorised },
      ...(method === 'POST' && { body }),
      timeouts,
      requestId,
      signal,
    })
    return { reply, authorised, toError: report => toAmazonQError(report, secretsIn(authorised), Date.now()) }
  }

  return {
    async send(credentials, request) {
      const { renew } = credentials
      const first = await attempt(credentials, request)
      const failure = await failureOf(first)
      if (failure === undefined) return first
      if (renew === undefined || !isRefusal(failure)) throw failure
      await renew(first.authorised, signal, first.reply.headers['date'])
      const second = await attempt(credentials, request)
      const again = await failureOf(second)
      if (again !== undefined) throw again
      return second
    },
  }
}

interface Attempt extends Sent {
  /** The headers that authorised it. */
  readonly authorised: Readonly<Record<string, string>>
}

/** What an answer says by its status; undefined where it may be good. */
async function failureOf({ reply: { status, headers, body }, toError }: Attempt): Promise<UpstreamError | undefined> {
  if (status < 300) return undefined
  const said = await readAtMost(body, MAX_FAILURE_BYTES)
  if (status >= 400) return toError(toReport({ status, headers, body: said }, Date.now()))
  const message = `The upstream answered ${status}, a redirect, which is not followed: is \`endpoint\` right?`
  return new UpstreamError('upstream_bad_response', message, { upstreamStatus: status })
}
