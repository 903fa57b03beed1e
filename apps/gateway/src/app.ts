import { randomUUID } from 'node:crypto'
import { METHODS } from 'node:http'
import cors from '@fastify/cors'
import { GatewayError, parseJsonSource, type Deadlines } from '@millrace/core'
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Catalogue } from './catalogue.ts'
import type { ClientKey } from './config/config.ts'
import { accessLogHook } from './hooks/access-log.ts'
import { createAuthHook } from './hooks/auth.ts'
import { limitsHook, PARSER_LIMIT_BYTES } from './hooks/limits.ts'
import { createConnectionErrors } from './reply/connection-errors.ts'
import { replyWithError, toFailure } from './reply/error.ts'
import { COMMON_HEADERS } from './reply/headers.ts'
import type { StreamSettings } from './reply/stream.ts'
import { adminRoute, isAdminUrl } from './routes/admin.ts'
import { chatCompletionsRoute } from './routes/chat-completions.ts'
import { completionsRoute } from './routes/completions.ts'
import { embeddingsRoute } from './routes/embeddings.ts'
import { healthRoute } from './routes/health.ts'
import { messagesRoute } from './routes/messages.ts'
import { modelsRoute } from './routes/models.ts'
import { responsesRoute } from './routes/responses.ts'
import type { Router } from './router.ts'
import type { Trace } from './trace.ts'

export interface AppDeps {
  readonly router: Router
  readonly catalogue: Catalogue
  readonly deadlines: Deadlines
  readonly logger: FastifyBaseLogger
  readonly keys: readonly ClientKey[]
  /** Without it there is no admin API. */
  readonly adminKey: string | undefined
  readonly bodyLimitBytes: number
  readonly stream: StreamSettings
  readonly trace: Trace | undefined
  /** The model calls under way; aborting one ends it with the reason given. */
  readonly calls: Set<AbortController>
  readonly state: {
    draining: boolean
    /** How many requests are under way, of whatever kind. */
    requests: number
  }
}

/** Where pages may be served from that may read what an open gateway says. */
const LOCAL_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/
const EXPOSED_HEADERS = ['x-request-id', 'request-id', 'retry-after', 'x-should-retry']

/** The gateway's HTTP server with all its routes; it does not listen yet. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const connectionErrors = createConnectionErrors(deps.logger)
  const app = fastify({
    loggerInstance: deps.logger,
    // Its lines about requests are left out: the access line says all they say.
    logController: new fastify.LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: deps.bodyLimitBytes,
    // How long a name in a path may be is for those to say who read it.
    routerOptions: { maxParamLength: PARSER_LIMIT_BYTES, ignoreTrailingSlash: false },
    rewriteUrl: request => toCanonicalUrl(request.url ?? '/'),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    http: {
      maxHeaderSize: PARSER_LIMIT_BYTES,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 1000,
      // limitsHook asks for it, and says so in words.
      requireHostHeader: false,
    },
    requestTimeout: 60_000,
    keepAliveTimeout: 75_000,
    clientErrorHandler: connectionErrors.refuse,
  })
  // A client may have said all it has to say and still wait for the answer (see client-signal.ts).
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.server.on('checkExpectation', connectionErrors.refuseExpectation)

  app.decorateRequest('startedAt', 0)
  app.decorateRequest('outcome', undefined)
  app.decorateRequest('caller', undefined)
  app.decorateRequest('failure', undefined)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonSource(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })

  app.addHook('onRequest', accessLogHook)
  app.addHook('onRequest', (request, reply, done) => {
    connectionErrors.note(request, reply.raw)
    deps.state.requests++
    reply.raw.once('close', () => deps.state.requests--)
    // The second name is that of Anthropic's SDKs.
    reply.headers({ 'x-request-id': request.id, 'request-id': request.id, ...COMMON_HEADERS })
    if (deps.state.draining) reply.header('connection', 'close')
    done()
  })
  const crossOrigin = {
    origin: deps.keys.length > 0 ? '*' : LOCAL_ORIGIN,
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 86_400,
  }
  await app.register(cors, {
    delegator: (request, done) => done(null, isAdminUrl(request.url) ? { origin: false } : crossOrigin),
  })
  app.addHook('onRequest', limitsHook)

  app.setErrorHandler((error, request, reply) => {
    request.failure ??= toFailure(error, request)
    return replyWithError(reply, request.failure)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!
    const allowed = METHODS.filter(method => app.hasRoute({ method, url: path }))
    const failure =
      allowed.length > 0
        ? new GatewayError(
            'method_not_allowed',
            `${request.method} is not for ${path}; it takes ${allowed.join(', ')}.`,
          )
        : new GatewayError('unknown_url', `There is no ${request.method} ${path.slice(0, 200)}; the API is under /v1.`)
    if (allowed.length > 0) reply.header('allow', allowed.join(', '))
    request.failure = failure
    return replyWithError(reply, failure)
  })

  healthRoute(app, deps)
  adminRoute(app, deps)
  await app.register(async api => {
    api.addHook('onRequest', createAuthHook(deps.keys))
    chatCompletionsRoute(api, deps)
    responsesRoute(api, deps)
    messagesRoute(api, deps)
    completionsRoute(api, deps)
    embeddingsRoute(api, deps)
    modelsRoute(api, deps)
  })
  return app
}

/** The endpoints, for clients whose base URL lacks the `/v1` that they build their paths on. */
const BARE = /^\/(?:chat\/completions|completions|responses|messages|embeddings|models)(?=$|[/?])/

/** Wrong base URLs are the most common mistake, and harmless: doubled slashes, a slash at the end, `/v1` missing or doubled. */
function toCanonicalUrl(url: string): string {
  const query = url.indexOf('?')
  const path = (query === -1 ? url : url.slice(0, query)).replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  const prefixed = BARE.test(path) ? `/v1${path}` : path.replace(/^(?:\/v1)+(?=\/)/, '/v1')
  const canonical = isDecodable(prefixed) ? prefixed : prefixed.replaceAll('%', '%25')
  return query === -1 ? canonical : canonical + url.slice(query)
}

/** Whether the escapes in a path are UTF-8. Where they are not, they stand for themselves, and nothing is found. */
function isDecodable(path: string): boolean {
  if (!path.includes('%')) return true
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
