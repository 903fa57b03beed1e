import type { RequestListener } from 'node:http'
import { createAnswers } from './answers.ts'
import { isImproper, parseBody, parseChatRequest, readModel } from './chat-request.ts'
import type { RequestError } from './chat-request.ts'
import { HEAD } from './chunks.ts'
import { carryOut, isFramed, sendFault, sendJson, toLastRequest, toListener } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { OptionError } from './options.ts'
import { SCENARIOS } from './scenarios.ts'
import type { StatsRecorder } from './stats.ts'

export interface HandlerOptions {
  readonly recorder: StatsRecorder
  readonly apiKey: string | undefined
  readonly defaultScenario: string | undefined
  readonly log: ((line: string) => void) | undefined
}

const MODELS = {
  object: 'list',
  data: SCENARIOS.map(({ name: id }) => ({ id, object: 'model', created: HEAD.created, owned_by: 'simulator' })),
}

/** What answers the requests that come to the simulator. */
export function createHandler({ recorder, apiKey, defaultScenario, log }: HandlerOptions): RequestListener {
  const { stats, record } = recorder
  const answers = createAnswers(defaultScenario)

  function chat(exchange: Exchange): void {
    const request = parseChatRequest(exchange.body)
    const plan = answers.chat(request, isFramed(exchange))
    record.chatBegan()
    carryOut(exchange, plan, request.model, { record, log, closed: record.chatClosed })
  }

  function embeddings(exchange: Exchange): void {
    const body = parseBody(exchange.body)
    const model = readModel(body)
    carryOut(exchange, answers.embeddings(body, model, isFramed(exchange)), model, { record, log })
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

  return toListener(exchange => {
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
        if (!isImproper(error)) throw error
        sendJson(response, 400, toBadRequest(error))
      }
    }
  })
}

function toBadRequest(error: OptionError | RequestError): object {
  const [param, code] =
    error instanceof OptionError
      ? ['model', 'invalid_value']
      : [error.param, error.param === null ? 'invalid_json' : 'missing_required_parameter']
  return { error: { message: error.message, type: 'invalid_request_error', param, code } }
}
