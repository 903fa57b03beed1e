import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ProviderDefinition } from '@millrace/core'
import { leadsTo } from './base-url.ts'
import { ConfigError, toPathText } from './config-error.ts'
import type { Mistake, Path } from './config-error.ts'
import { toConfig } from './config.ts'
import type { Config } from './config.ts'
import { crossCheck } from './cross-checks.ts'
import { findingsOf } from './issue-messages.ts'
import { isMembers, replaceAt } from './plain-data.ts'
import type { Members } from './plain-data.ts'
import { toScalar } from './placeholders.ts'
import type { Environment } from './placeholders.ts'
import { configSchema, DEFAULT_ADDRESS } from './schema.ts'
import { findWellKnown } from './well-known.ts'
import type { FoundProvider } from './well-known.ts'
import { parseYaml } from './yaml-source.ts'
import type { Note } from './yaml-source.ts'

/** What is read when no file is named. */
const DEFAULT_FILE = fileURLToPath(new URL('../../../../config/millrace.yaml', import.meta.url))

export interface ConfigInput {
  /** `--config`; without it `MILLRACE_CONFIG`, and without that the file that comes with the gateway. */
  readonly file?: string | undefined
  /** `--host` and `--port`, which win over `HOST` and `PORT`, which win over the file. */
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly env: Environment
  readonly definitions: readonly ProviderDefinition[]
}

/** Where a configuration came from, to be told at the start. */
export interface ConfigSource {
  /** Undefined where there was no file. */
  readonly file: string | undefined
  /** The providers that well-known environment variables made, or gave their key. */
  readonly found: readonly {
    readonly provider: string
    readonly variable: string
    readonly baseUrl?: string | undefined
  }[]
}

/**
 * The configuration, complete and checked: one that comes back is one that runs.
 * @throws {ConfigError} all that is wrong with it
 */
export async function readConfig(input: ConfigInput): Promise<{ config: Config; source: ConfigSource }> {
  const { env, definitions } = input
  const named = input.file ?? (env['MILLRACE_CONFIG'] || undefined)
  const text = await readText(named ?? DEFAULT_FILE, named !== undefined)
  const file = text === undefined ? undefined : (named ?? DEFAULT_FILE)
  const yaml = parseYaml(text ?? '', env)
  if (yaml.value === undefined) throw new ConfigError(file, yaml.mistakes)

  const { value: merged, notes, found } = withEnvironment(yaml.value, yaml.notes, input)
  const mistakes: Mistake[] = [...yaml.mistakes]
  const reported = new Set(mistakes.map(({ path }) => path))
  function report(path: Path, message: string): void {
    const key = toPathText(path)
    const note = notes.get(key)
    const position = note?.isOutside ? undefined : yaml.positionOf(path)
    // One mistake a setting, the first: the others mostly follow from it.
    if (!reported.has(key)) mistakes.push({ path: key, position, origin: note?.origin, message })
    reported.add(key)
  }

  const schema = configSchema(definitions)
  const value = withOtherReadings(merged, notes, findingsOf(schema, merged))
  for (const { path, message } of findingsOf(schema, value)) report(path, message)
  crossCheck(value, report)
  const streaming = parseSwitch(env['STREAM'])
  if (streaming === undefined) report(['STREAM'], 'is an environment variable that must be `true` or `false`')
  if (mistakes.length > 0) throw new ConfigError(file, mistakes)
  const config = toConfig(schema.parse(value), streaming ?? true)
  for (const [name, { kind, settings }] of config.providers) {
    const definition = definitions.find(candidate => candidate.kind === kind)
    for (const { path, message } of definition?.mistakesIn?.(settings) ?? [])
      report(['providers', name, ...path], message)
  }
  if (mistakes.length > 0) throw new ConfigError(file, mistakes)
  return { config, source: { file, found } }
}

/** The text of the file; undefined where it is not there and need not be. */
async function readText(file: string, isNamed: boolean): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !isNamed) return undefined
    const message = code === 'ENOENT' ? 'there is no such file' : `cannot be read: ${(error as Error).message}`
    throw new ConfigError(file, [{ path: '', message }])
  }
}

/** What the file says, with what the command line and the environment say in its place. */
function withEnvironment(fileValue: unknown, fileNotes: ReadonlyMap<string, Note>, input: ConfigInput) {
  const { env } = input
  const notes = new Map(fileNotes)
  let value = fileValue
  function set(path: Path, setting: unknown, origin: string): void {
    value = replaceAt(value, path, setting)
    notes.set(toPathText(path), { origin, isOutside: true })
  }

  const host = input.host ?? (env['HOST'] || undefined)
  if (host !== undefined) set(['server', 'host'], host, input.host === undefined ? 'HOST' : '--host')
  const port = input.port ?? (env['PORT'] || undefined)
  if (port !== undefined) set(['server', 'port'], toScalar(port), input.port === undefined ? 'PORT' : '--port')

  if (env['MILLRACE_STATE_DIR']) set(['stateDir'], env['MILLRACE_STATE_DIR'], 'MILLRACE_STATE_DIR')

  const { auth, admin, server, providers } = isMembers(value) ? value : {}
  const adminKey = env['MILLRACE_ADMIN_KEY']
  if (adminKey && (admin === undefined || (isMembers(admin) && admin['key'] === undefined))) {
    set(['admin', 'key'], adminKey, 'MILLRACE_ADMIN_KEY')
  }
  const key = env['MILLRACE_API_KEY']
  if (key && (auth === undefined || (isMembers(auth) && auth['keys'] === undefined))) {
    set(['auth', 'keys'], [key], 'MILLRACE_API_KEY')
    set(['auth', 'keys', 0], key, 'MILLRACE_API_KEY')
  }

  const hasProviders = providers !== undefined && !(isMembers(providers) && Object.keys(providers).length === 0)
  const at = { ...DEFAULT_ADDRESS, ...(isMembers(server) ? server : {}) }
  // Whoever runs the gateway may be its client too: a variable that names the gateway itself is meant for the client.
  const wellKnown = findWellKnown(env).filter(({ baseUrl = '' }) => {
    const url = URL.parse(baseUrl)
    return url === null || !leadsTo(url, String(at.host), Number(at.port))
  })
  const found = hasProviders ? wellKnown.flatMap(one => lackingIts(one, providers)) : wellKnown
  for (const { provider, kind, variable, baseUrl, baseUrlVariable, apiKey } of found) {
    set(['providers', provider, 'kind'], kind, variable)
    if (baseUrl !== undefined) set(['providers', provider, 'baseUrl'], baseUrl, baseUrlVariable ?? variable)
    if (apiKey !== undefined) set(['providers', provider, 'apiKey'], apiKey, variable)
  }
  return { value, notes, found: found.map(({ provider, variable, baseUrl }) => ({ provider, variable, baseUrl })) }
}

/**
 * The providers in the file that are of the kind of `found`, and neither say a key nor where to send one. Only for kinds of
 * which every provider is of the same service: elsewhere the key might be another's.
 */
function lackingIts(found: FoundProvider, providers: unknown): FoundProvider[] {
  const lacking: FoundProvider[] = []
  if (found.kind === 'openai' || !isMembers(providers)) return lacking
  for (const [provider, settings] of Object.entries(providers)) {
    const { kind, apiKey, accounts, baseUrl }: Members = isMembers(settings) ? settings : {}
    const saysNothing = [apiKey, accounts, baseUrl].every(member => member === undefined)
    if (kind === found.kind && saysNothing) lacking.push({ ...found, provider })
  }
  return lacking
}

/** Values from the environment have no type: where the schema refuses one reading, the other is taken. */
function withOtherReadings(
  value: unknown,
  notes: ReadonlyMap<string, Note>,
  findings: readonly { readonly path: Path; readonly isType: boolean }[],
): unknown {
  let result = value
  for (const { path, isType } of findings) {
    const otherwise = isType ? notes.get(toPathText(path))?.otherwise : undefined
    if (otherwise !== undefined) result = replaceAt(result, path, otherwise)
  }
  return result
}

/** Undefined where it is neither on nor off; on where it is not set. */
function parseSwitch(text: string | undefined): boolean | undefined {
  if (!text || /^(?:true|1)$/i.test(text)) return true
  return /^(?:false|0)$/i.test(text) ? false : undefined
}
