import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { destination, pino, type Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/placeholders.ts'
import type { ConfigSource } from '../config/read-config.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { originOf } from './origin.ts'
import { readSettings, withConfigOptions, type ConfigFlags } from './read-settings.ts'

const EX_SOFTWARE = 70
const INTERRUPTED = 130
/** More would scroll the rest of the greeting away. */
const MODELS_SHOWN = 12

/** `millrace serve`: from the configuration to a listening gateway, and back in good order on SIGTERM or SIGINT. */
export function serveCommand(env: Environment): Command {
  return withConfigOptions(new Command('serve').description('run the gateway')).action(async (flags: ConfigFlags) => {
    // Else V8 may take some objects of every request for long-lived ones, and those hold all of it (docs/performance.md).
    setFlagsFromString('--no-allocation-site-pretenuring')
    const { config, source } = await readSettings(flags, env)
    // Lines are gathered for a tenth of a second, so that under load many go out in one write.
    const log = destination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 100 })
    const logger = pino({ level: config.log.level }, log)
    const printTrace = env['DEBUG_STREAMING'] === 'true' ? (line: string) => console.error(line) : undefined
    const gateway = await createGateway(config, logger, printTrace)
    endInGoodOrder(gateway, logger)
    try {
      await gateway.app.listen({ host: config.server.host, port: config.server.port })
    } catch (error) {
      console.error(`Cannot listen on ${config.server.host}:${config.server.port}: ${(error as Error).message}`)
      process.exit(1)
    }
    await greet(gateway, config, source)
  })
}

function endInGoodOrder(gateway: Gateway, logger: Logger): void {
  let ending = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (ending) process.exit(INTERRUPTED)
    ending = true
    logger.info({ signal }, 'ending: a second signal ends at once')
    gateway.drain().then(
      () => gateway[Symbol.asyncDispose]().then(() => logger.flush(() => process.exit(0))),
      error => onFault(error),
    )
  }
  // Nobody knows what state a fault leaves behind: say so, tell those who wait, and let a fresh process take over.
  const onFault = (error: unknown): void => {
    logger.fatal({ err: error }, 'fault')
    gateway.endCalls()
    logger.flush(() => process.exit(EX_SOFTWARE))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', onFault)
  process.on('unhandledRejection', onFault)
}

/** What a person wants to know who has just started it, on standard error: standard output is the log. */
async function greet(gateway: Gateway, config: Config, { file, found }: ConfigSource): Promise<void> {
  const address = gateway.app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.server.port
  const baseUrl = `${originOf({ host: config.server.host, port })}/v1`
  const models = (await gateway.catalogue.list()).map(({ id }) => id)
  const key = config.auth.keys.length > 0
  const lines = [
    '',
    `Millrace is listening.`,
    '',
    `  Base URL   ${baseUrl}`,
    `  Key        ${key ? 'one of auth.keys' : 'none needed: it is open, to this machine only'}`,
    `  Config     ${file ?? 'none'}`,
    ...found.map(({ provider, variable, baseUrl: at }) => {
      return `  Provider   ${provider}${at === undefined ? '' : ` at ${at}`}, because ${variable} is set`
    }),
    `  Models     ${models.slice(0, MODELS_SHOWN).join(', ') || 'none found'}${models.length > MODELS_SHOWN ? `, and ${models.length - MODELS_SHOWN} more` : ''}`,
    '',
    'Try it:',
    '',
    `  curl -N ${baseUrl}/chat/completions -H 'content-type: application/json'${key ? ' -H "authorization: Bearer $MILLRACE_API_KEY"' : ''} \\`,
    `    -d '{"model":"${config.demo ? 'demo/echo' : (models[0] ?? '…')}","stream":true,"messages":[{"role":"user","content":"Hello, Millrace, stream this back to me."}]}'`,
    '',
  ]
  console.error(lines.join('\n'))
}
