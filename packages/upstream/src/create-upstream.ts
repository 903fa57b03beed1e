import { Agent, type Dispatcher } from 'undici'
import {
  createDeadlines,
  GatewayError,
  UpstreamError,
  type Deadline,
  type FailureCode,
  type Upstream,
  type UpstreamReply,
  type UpstreamRequest,
} from '@millrace/core'
import { toConnectionFailure } from './connection-failure.ts'
import { decodedBody } from './decoded-body.ts'
import { createReplyBody } from './reply-body.ts'

/** Attempts to connect end here at the latest. */
const CONNECT_LIMIT_MS = 60_000
/** Below what servers and balancers usually keep an idle connection, so that we are the first to close it. */
const KEEP_ALIVE_MS = 4000

export interface OwnedUpstream extends Upstream, AsyncDisposable {}

/**
 * The HTTP client: pooled connections without an upper bound (a stream holds its connection to the end, so a bounded
 * pool would starve everybody behind it), HTTP/1.1, no redirects, nothing decompressed that was not asked for. undici's
 * own timeouts are off: they are coarse, and each of ours has a code of its own.
 */
export function createUpstream(): OwnedUpstream {
  const deadlines = createDeadlines()
  const agents = new Map<number, Agent>()

  /** One for each limit on connecting: an attempt cannot be called off, and so has to end soon by itself. */
  function agentFor({ timeouts }: UpstreamRequest): Agent {
    const timeout = Math.min(timeouts.connect, CONNECT_LIMIT_MS)
    const known = agents.get(timeout)
    if (known !== undefined) return known
    const agent = createAgent(timeout)
    agents.set(timeout, agent)
    return agent
  }

  return {
    request: request => dispatch(agentFor(request), request, (limitMs, expire) => deadlines.start(limitMs, expire)),
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(agents.values(), agent => agent.destroy()))
    },
  }
}

function createAgent(connectMs: number): Agent {
  return new Agent({
    allowH2: false,
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: connectMs },
  })
}

type StartDeadline = (limitMs: number, expire: () => void) => Deadline

function dispatch(agent: Agent, request: UpstreamRequest, start: StartDeadline): Promise<UpstreamReply> {
  const { method, url, headers, body, timeouts, signal } = request
  const replyBody = createReplyBody()
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamReply>()
  let controller: Dispatcher.DispatchController | undefined
  let answered = false
  let stopped: GatewayError | undefined
  let phase: FailureCode = 'connect_timeout'

  const clock = start(timeouts.connect, () => {
    if (replyBody.isEnding()) stop(undefined)
    else stop(timeout(phase))
  })
  const total = start(timeouts.total, () => stop(timeout('total_timeout')))
  const onAbort = (): void => stop(signal.reason instanceof GatewayError ? signal.reason : leaving())

  /** The call is over: nothing is waited for any more. */
  function release(): void {
    clock.clear()
    total.clear()
    signal.removeEventListener('abort', onAbort)
  }

  /** Ends the call from our side, with an error or, where silence is the good end, without. */
  function stop(error: GatewayError | undefined): void {
    release()
    if (error === undefined) replyBody.end()
    else {
      reject(error)
      replyBody.fail(error)
    }
    stopped = error ?? leaving()
    controller?.abort(stopped)
  }

  if (signal.aborted) {
    onAbort()
    return promise
  }
  signal.addEventListener('abort', onAbort)

  const options: Dispatcher.DispatchOptions = {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { 'user-agent': 'millrace', 'accept-encoding': 'identity', ...headers },
    body: body ?? null,
  }
  agent.dispatch(options, {
    onRequestStart(theController) {
      controller = theController
      if (stopped !== undefined) return controller.abort(stopped)
      phase = 'first_byte_timeout'
      clock.touch(timeouts.firstByte)
      const flow = {
        pause: () => theController.pause(),
        resume: () => theController.resume(),
        abort: () => stop(leaving()),
      }
      replyBody.open(flow, clock, timeouts.idle)
    },
    onResponseStart(_controller, status, received) {
      if (status < 200 || stopped !== undefined) return
      answered = true
      const replyHeaders: Record<string, string> = {}
      for (const [name, value] of Object.entries(received))
        replyHeaders[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
      const encoding = replyHeaders['content-encoding'] ?? 'identity'
      try {
        const decoded = encoding === 'identity' || encoding === '' ? replyBody : decodedBody(replyBody, encoding)
        resolve({ status, headers: replyHeaders, body: decoded })
      } catch (error) {
        stop(error as GatewayError)
      }
    },
    onResponseData(_controller, read) {
      phase = 'idle_timeout'
      replyBody.add(read)
    },
    onResponseEnd() {
      release()
      replyBody.end()
    },
    onResponseError(_controller, error) {
      release()
      const failure = toConnectionFailure(error, answered)
      reject(failure)
      replyBody.fail(failure)
    },
  })
  return promise
}

function leaving(): GatewayError {
  return new GatewayError('aborted', 'Nothing more of the answer is of interest.')
}

const WORDS: Partial<Record<FailureCode, string>> = {
  connect_timeout: 'The upstream did not accept a connection in time.',
  first_byte_timeout: 'The upstream did not begin to answer in time.',
  idle_timeout: 'The upstream fell silent in the middle of its answer.',
  total_timeout: 'The answer took longer than allowed in all.',
}

function timeout(code: FailureCode): UpstreamError {
  return new UpstreamError(code, WORDS[code] ?? 'The upstream took too long.')
}
