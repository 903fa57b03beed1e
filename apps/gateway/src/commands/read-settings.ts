import { Option, type Command } from 'commander'
import { ConfigError } from '../config/config-error.ts'
import type { Environment } from '../config/placeholders.ts'
import { readConfig } from '../config/read-config.ts'
import { DEFINITIONS } from '../providers.ts'

/** What `sysexits.h` calls a configuration error. */
const EX_CONFIG = 78

export interface ConfigFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: string
}

export function configOption(): Option {
  return new Option('--config <file>', 'the configuration; else MILLRACE_CONFIG, else config/millrace.yaml')
}

/** The command with the options that choose a configuration, and where the gateway listens. */
export function withConfigOptions(command: Command): Command {
  return command
    .addOption(configOption())
    .addOption(new Option('--host <address>', 'where to listen; else HOST, else server.host'))
    .addOption(new Option('--port <number>', 'where to listen; else PORT, else server.port'))
}

/** The configuration that the options choose; where it has mistakes they are listed and the process ends with 78. */
export async function readSettings(
  { config: file, host, port }: ConfigFlags,
  env: Environment,
): ReturnType<typeof readConfig> {
  try {
    return await readConfig({ file, host, port, env, definitions: DEFINITIONS })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(EX_CONFIG)
  }
}
