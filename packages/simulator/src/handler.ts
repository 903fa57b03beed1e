import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createAnswers } from './answers.ts'
import { parseBody, parseChatRequest, readModel, RequestError } from './chat-request.ts'
import { HEAD } from './chunks.ts'
import { deliver } from './deliver.ts'
import type { Outcome } from './deliver.ts'
import { toErrorBody, toFault } from './error-shapes.ts'
import { OptionError } from './options.ts'
import type { Plan } from './plan.ts'
import { SCENARIOS } from './scenarios.ts'
import type { StatsRecorder } from './stats.ts'

export interface HandlerOptions {
  readonly recorder: StatsRecorder
  readonly apiKey: string | undefined
  readonly defaultScenario: string | undefined
  readonly log: ((line: string) => void) | undefined
}

/** A request that has arrived whole. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
}

const MAX_BODY_BYTES = 64 * 1024 * 1024

const MODELS = {
  object: 'list',
  data: SCENARIOS.map(({ name: id }) => ({ id, object: 'model', created: HEAD.created, owned_by: 'simulator' })),
}

/** What answers the requests that come to the simulator. */
export function createHandler({ recorder, apiKey, defaultScenario, log }: HandlerOptions): RequestListener {
  const { stats, record } = recorder
  const answers = createAnswers(defaultScenario)

  function carryOut(
    { request, response }: Exchange,
    plan: Plan,
    model: string,
    closed?: (outcome: Outcome) => void,
  ): void {
    const began = performance.now()
    let bytes = 0
    deliver(plan, response, {
      wrote(count) {
        bytes += count
        record.wrote(count)
      },
      closed(outcome) {
        closed?.(outcome)
        const duration = Math.round(performance.now() - began)
        log?.(
          `${request.method} ${request.url} ${JSON.stringify(model)}: ${plan.status}, ${outcome} after ${duration} ms, ${bytes} bytes`,
        )
      },
    })
  }

  function chat(exchange: Exchange): void {
    const request = parseChatRequest(exchange.body)
    const plan = answers.chat(request, isFramed(exchange))
    record.chatBegan()
    carryOut(exchange, plan, request.model, record.chatClosed)
  }

  function embeddings(exchange: Exchange): void {
    const body = parseBody(exchange.body)
    const model = readModel(body)
    carryOut(exchange, answers.embeddings(body, model, isFramed(exchange)), model)
  }

  function resetAll({ response }: Exchange): void {
    recorder.reset()
    answers.reset()
    sendJson(response, 200, stats)
  }

  const routes = new Map<string, (exchange: Exchange) => void>([
    ['POST /chat/completions', chat],
    ['POST /embeddings', embeddings],
    ['GET /models', ({ response }) => sendJson(response, 200, MODELS)],
    ['GET /stats', ({ response }) => sendJson(response, 200, stats)],
    ['POST /stats/reset', resetAll],
  ])

  function answer(exchange: Exchange): void {
    const { request, response } = exchange
    const path = (request.url ?? '/').replace(/\?.*$/s, '').replace(/^\/v1(?=\/)/, '')
    const isStats = path.startsWith('/stats')
    if (!isStats) record.request(toLastRequest(exchange))
    response.setHeader('x-request-id', `req_simulated_${stats.requests}`)
    const route = routes.get(`${request.method} ${path}`)
    if (route === undefined) sendFault(response, 404, 'unknown_url', `There is no ${request.method} ${path}.`)
    else if (!isStats && apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
      sendFault(response, 401)
    } else {
      try {
        route(exchange)
      } catch (error) {
        if (!(error instanceof OptionError || error instanceof RequestError)) throw error
        sendJson(response, 400, toBadRequest(error))
      }
    }
  }

  return (request, response) => {
    const pieces: Buffer[] = []
    let size = 0
    request.on('data', (piece: Buffer) => {
      size += piece.length
      if (size <= MAX_BODY_BYTES) pieces.push(piece)
    })
    request.on('end', () => {
      if (size > MAX_BODY_BYTES) sendFault(response, 413)
      else answer({ request, response, body: Buffer.concat(pieces).toString() })
    })
  }
}

/** Whether HTTP chunks may go to the socket: HTTP/1.0 has none, and a response without a socket waits for another. */
function isFramed({ request, response }: Exchange): boolean {
  return request.httpVersion !== '1.0' && response.socket !== null
}

function toLastRequest({ request, body }: Exchange): NonNullable<StatsRecorder['stats']['lastRequest']> {
  const { method = '', url = '', headers } = request
  return { method, path: url, headers, authorization: headers.authorization ?? null, body }
}

function toBadRequest(error: OptionError | RequestError): object {
  const [param, code] =
    error instanceof OptionError
      ? ['model', 'invalid_value']
      : [error.param, error.param === null ? 'invalid_json' : 'missing_required_parameter']
  return { error: { message: error.message, type: 'invalid_request_error', param, code } }
}

function sendFault(response: ServerResponse, status: number, code?: string, message?: string): void {
  sendJson(response, status, toErrorBody(toFault(status, message, code)))
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}
