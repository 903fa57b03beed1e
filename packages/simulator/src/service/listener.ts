import type { RequestListener, ServerResponse } from 'node:http'
import { carryOut, isFramed, toLastRequest, toListener } from '../exchange.ts'
import type { Exchange } from '../exchange.ts'
import { parseOptions } from '../options.ts'
import { toPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import type { Answer } from '../scenario.ts'
import type { StatsRecorder } from '../stats.ts'
import { toServiceRequest } from './route.ts'
import type { Reply, ServiceRequest } from './route.ts'

/** What a service makes of one request. */
interface Handling {
  /** @throws what {@link toErrorAnswer} knows, and what is no error of the service */
  readonly handle: () => Reply | Promise<Reply>
  /** The answer to an error of the service, or to a request that makes no sense; undefined for others. */
  readonly toErrorAnswer: (error: unknown) => Answer | undefined
  /** Told the status of what is answered. */
  readonly answered: (status: number) => void
}

/** Sets the headers that all answers have. */
export type ServiceHandler = (request: ServiceRequest, response: ServerResponse) => Handling

interface ListenerOptions {
  readonly handler: ServiceHandler
  /** The simulator's own endpoints, which do not count: method, blank, path → answer. */
  readonly own: ReadonlyMap<string, (exchange: Exchange) => void>
  readonly recorder: StatsRecorder
  readonly log: ((line: string) => void) | undefined
  /** Told when the state may have changed. */
  readonly changed: () => void
}

const NO_OPTIONS = parseOptions('', [])

/** What answers the requests that come to a service. */
export function createListener({ handler, own, recorder, log, changed }: ListenerOptions): RequestListener {
  const { record, stats } = recorder

  async function answer(exchange: Exchange): Promise<void> {
    record.request(toLastRequest(exchange))
    const request = toServiceRequest(exchange, stats.requests)
    const handling = handler(request, exchange.response)
    const replying = replyTo(handling)
    changed() // what happens before the first wait can be waited for
    const reply = await replying
    if (exchange.response.destroyed) {
      changed()
      return
    }
    const plan = planOf(reply, exchange, handling)
    handling.answered(plan.status)
    if (reply.isChat) record.chatBegan()
    carryOut(exchange, plan, reply.subject ?? request.path, {
      record,
      log,
      closed: outcome => {
        if (reply.isChat) record.chatClosed(outcome)
        changed()
      },
    })
    changed()
  }

  return toListener(exchange => {
    const { method, url = '/' } = exchange.request
    const route = own.get(`${method} ${url.replace(/\?.*$/s, '')}`)
    if (route !== undefined) route(exchange)
    else void answer(exchange)
  })
}

async function replyTo(handling: Handling): Promise<Reply> {
  try {
    return await handling.handle()
  } catch (error) {
    return { answer: toFailure(error, handling) }
  }
}

/** The plan; what is wrong with a reply's options may show only now. */
function planOf({ answer, options = NO_OPTIONS }: Reply, exchange: Exchange, handling: Handling): Plan {
  try {
    return toPlan(answer, options, isFramed(exchange))
  } catch (error) {
    return toPlan(toFailure(error, handling), NO_OPTIONS, isFramed(exchange))
  }
}

/** An error as an answer. @throws what is none */
function toFailure(error: unknown, { toErrorAnswer }: Handling): Answer {
  const answer = toErrorAnswer(error)
  if (answer !== undefined) return answer
  // The client has left: nobody reads what is answered.
  if ((error as Error).name === 'AbortError') return { headless: true, ending: 'open' }
  throw error
}
