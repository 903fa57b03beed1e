import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStateFile } from '@millrace/accounts'
import { createDeadlines, GatewayError, type AccountChange, type AccountStates, type Upstream } from '@millrace/core'
import { demo } from '@millrace/provider-demo'
import { createUpstream } from '@millrace/upstream'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import { createCatalogue, type Catalogue } from './catalogue.ts'
import type { Config } from './config/config.ts'
import { secretsOf } from './config/secrets.ts'
import { DEFINITIONS } from './providers.ts'
import { createRouter, type Route } from './router.ts'
import { createTrace } from './trace.ts'

export interface Gateway extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly catalogue: Catalogue
  /** Ends the calls under way, each with an error that its client is told. */
  endCalls(): void
  /** Stops taking requests, lets those under way finish, and ends the rest with `gateway_shutdown`. */
  drain(): Promise<void>
}

/** How long calls that were told to end may take to say so to their clients. */
const LAST_WORDS_MS = 2000
/** How often a drain looks whether it is done. */
const DRAIN_STEP_MS = 50

/** Everything that serves requests, from its configuration. Listens to nothing yet; its connections are closed with it. */
export async function createGateway(
  config: Config,
  logger: Logger,
  printTrace?: (line: string) => void,
): Promise<Gateway> {
  const pool = createUpstream()
  const trace = printTrace && createTrace(printTrace, secretsOf(config))
  const upstream = trace?.wrap(pool) ?? pool
  const states = await openStateFile(stateFileOf(config), { onProblem: message => logger.warn(message) })
  const routes = openRoutes(config, upstream, {
    states,
    onNotice: (provider, message) => logger.warn({ provider }, message),
    onAccountChange: (provider, change) => logAccount(logger, provider, change),
  })
  const router = createRouter(routes, config.defaultProvider, config.aliases)
  const onFailure = (provider: string, error: unknown): void =>
    logger.warn({ provider, message: (error as Error).message }, 'the models of this provider could not be listed')
  const catalogue = createCatalogue(routes, onFailure, router.aliases)
  const calls = new Set<AbortController>()
  const state = { draining: false, requests: 0 }
  const app = await buildApp({
    router,
    catalogue,
    deadlines: createDeadlines(),
    logger,
    keys: config.auth.keys,
    adminKey: config.adminKey,
    bodyLimitBytes: config.server.bodyLimitBytes,
    stream: config.stream,
    trace,
    calls,
    state,
  })

  async function idle(limitMs: number): Promise<void> {
    const until = performance.now() + limitMs
    while (state.requests > 0 && performance.now() < until) await sleep(DRAIN_STEP_MS)
  }

  function endCalls(): void {
    const reason = new GatewayError('gateway_shutdown', 'The gateway is shutting down; ask again.')
    for (const call of calls) call.abort(reason)
  }

  return {
    app,
    catalogue,
    endCalls,
    async drain() {
      const { delayMs, timeoutMs } = config.server.drain
      state.draining = true
      logger.info({ requests: state.requests }, 'draining: still listening, no longer ready')
      await sleep(delayMs)
      const closed = app.close()
      await idle(timeoutMs)
      endCalls()
      await idle(LAST_WORDS_MS)
      app.server.closeAllConnections()
      await closed
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await pool[Symbol.asyncDispose]()
      await states[Symbol.asyncDispose]()
    },
  }
}

/** Where the states of accounts outlive the process. */
export function stateFileOf({ stateDir }: Config): string {
  return join(stateDir, 'accounts.json')
}

/** One line for each change of an account, so that the log tells its story. */
function logAccount(logger: Logger, provider: string, { account, from, to }: AccountChange): void {
  const until = to.until === undefined ? undefined : new Date(to.until).toISOString()
  const line = { provider, account, from: from.state, to: to.state, until, reason: to.reason || undefined }
  logger[to.state === 'ok' || to.state === 'disabled' ? 'info' : 'warn'](line, 'account')
}

interface RouteDeps {
  readonly states?: AccountStates
  /** As in {@link ProviderDeps}, with the name of the provider. */
  onNotice?(provider: string, message: string): void
  onAccountChange?(provider: string, change: AccountChange): void
}

/** The providers of a configuration, each under its name; the demo comes last. */
export function openRoutes(config: Config, upstream: Upstream, deps: RouteDeps = {}): Route[] {
  const routes: Route[] = []
  for (const [name, { kind, settings, timeouts, streaming, defaultModel, models }] of config.providers) {
    const definition = DEFINITIONS.find(candidate => candidate.kind === kind)!
    const provider = definition.open(settings, {
      name,
      upstream,
      timeouts,
      states: deps.states,
      onNotice: message => deps.onNotice?.(name, message),
      onAccountChange: change => deps.onAccountChange?.(name, change),
    })
    routes.push({ name, provider, streaming, defaultModel: defaultModel ?? provider.defaultModel, models })
  }
  if (config.demo) {
    const provider = demo.open({ kind: 'demo' }, { upstream, timeouts: NO_TIMEOUTS })
    routes.push({ name: 'demo', provider, streaming: config.streaming, defaultModel: 'echo', models: undefined })
  }
  return routes
}

/** The demo calls nobody, so there is nothing to wait for. */
const NO_TIMEOUTS = { connect: Infinity, firstByte: Infinity, idle: Infinity, total: Infinity }
