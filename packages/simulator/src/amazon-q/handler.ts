import type { RequestListener } from 'node:http'
import { carryOut, isFramed, toClosed, toLastRequest, toListener } from '../exchange.ts'
import type { Exchange } from '../exchange.ts'
import { OptionError, parseOptions } from '../options.ts'
import { ownRoutes } from '../own-routes.ts'
import { toPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { remainingRetryAfter } from '../retry-after.ts'
import type { StatsRecorder } from '../stats.ts'
import type { Call } from './calls.ts'
import { AMAZON_Q_COMMANDS } from './commands.ts'
import type { AmazonQControl } from './control.ts'
import { toErrorAnswer } from './error-answer.ts'
import type { Flavour } from './error-answer.ts'
import { EXCEPTIONS, ServiceError } from './exceptions.ts'
import { bearerOf } from './identity.ts'
import { signInRoutes } from './oidc.ts'
import { operationOf, runOperation } from './operations.ts'
import type { Asked, Handle, Reply } from './route.ts'
import type { AmazonQState } from './state.ts'
import type { World } from './world.ts'

export interface AmazonQHandlerOptions {
  readonly world: World
  readonly recorder: StatsRecorder
  readonly state: AmazonQState
  readonly control: AmazonQControl
  readonly log: ((line: string) => void) | undefined
  /** Told when the state may have changed. */
  readonly changed: () => void
}

const NO_OPTIONS = parseOptions('', [])

/** What answers the requests that come to the service or to one of its sign-in services. */
export function createAmazonQHandler(options: AmazonQHandlerOptions): RequestListener {
  const { world, recorder, log, changed } = options
  const { record, stats } = recorder
  const own = ownRoutes({ ...options, commands: AMAZON_Q_COMMANDS })
  const signIn = signInRoutes(world)

  async function answer(exchange: Exchange, path: string): Promise<void> {
    const { request, response } = exchange
    record.request(toLastRequest(exchange))
    response.setHeader('x-amzn-requestid', `00000000-0000-4000-8000-${String(stats.requests).padStart(12, '0')}`)
    response.setHeader('date', new Date(world.clock.now()).toUTCString())
    const asked: Asked = {
      flavour: path === '/' ? 'json' : 'rest',
      method: request.method ?? '',
      path,
      query: new URLSearchParams(/\?(.*)$/s.exec(request.url ?? '')?.[1] ?? ''),
      headers: request.headers,
      body: exchange.body,
      closed: () => toClosed(exchange),
    }
    const route = signIn.get(`${asked.method} ${path}`)
    const call = route === undefined ? note(asked) : undefined
    const failed = (error: unknown): Reply => toFailed(error, asked.flavour, world)
    const replying = replyTo(asked, route ?? (asked => runOperation(world, asked, operationOf(asked))), failed)
    changed() // what happens before the first wait can be waited for
    const reply = await replying
    if (response.destroyed) {
      changed()
      return
    }
    const plan = planOf(reply, exchange, failed)
    call?.(plan.status)
    if (reply.isChat) record.chatBegan()
    carryOut(exchange, plan, reply.subject ?? path, {
      record,
      log,
      closed: outcome => {
        if (reply.isChat) record.chatClosed(outcome)
        changed()
      },
    })
    changed()
  }

  /** Remembers a call to an operation; the function takes the status of its answer. */
  function note(asked: Asked): (status: number) => void {
    const { headers, flavour } = asked
    const [, keyId = ''] = /Credential=([^/,]*)/.exec(headers.authorization ?? '') ?? []
    const credential = bearerOf(headers) || keyId
    const call: Call = {
      operation: operationOf(asked) ?? 'unknown',
      flavour,
      credential,
      invocationId: headers['amz-sdk-invocation-id']?.toString() ?? null,
      attempt: headers['amz-sdk-request']?.toString() ?? null,
      status: null,
    }
    world.calls.note(call)
    const sent = credential === '' ? undefined : world.sent.note(credential)
    return status => {
      call.status = status
      if (sent !== undefined) sent.statuses[status] = (sent.statuses[status] ?? 0) + 1
    }
  }

  return toListener(exchange => {
    const path = (exchange.request.url ?? '/').replace(/\?.*$/s, '')
    const route = own.get(`${exchange.request.method} ${path}`)
    if (route !== undefined) route(exchange)
    else void answer(exchange, path)
  })
}

async function replyTo(asked: Asked, handle: Handle, failed: (error: unknown) => Reply): Promise<Reply> {
  try {
    return await handle(asked)
  } catch (error) {
    return failed(error)
  }
}

/** The plan; what is wrong with a reply's options may show only now. */
function planOf({ answer, options = NO_OPTIONS }: Reply, exchange: Exchange, failed: (error: unknown) => Reply): Plan {
  try {
    return toPlan(answer, options, isFramed(exchange))
  } catch (error) {
    return toPlan(failed(error).answer, NO_OPTIONS, isFramed(exchange))
  }
}

/** An error as an answer. @throws what is none */
function toFailed(error: unknown, flavour: Flavour, { clock, service }: World): Reply {
  if (error instanceof ServiceError) {
    const { fault, until } = error
    const headers = until === null ? {} : remainingRetryAfter(until - clock.now(), service.retryAfter)
    return { answer: toErrorAnswer(fault, flavour, headers) }
  }
  if (error instanceof OptionError) {
    const fault = { ...EXCEPTIONS['invalid-parameter'], message: error.message }
    return { answer: toErrorAnswer(fault, flavour) }
  }
  // The client has left: nobody reads what is answered.
  if ((error as Error).name === 'AbortError') return { answer: { headless: true, ending: 'open' } }
  throw error
}
