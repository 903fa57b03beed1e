import { access, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { expandHome, openStateFile } from '@millrace/accounts'
import { createUpstream } from '@millrace/upstream'
import { Command, Option } from 'commander'
import { ACCOUNT_ACTIONS, createAccountDesk } from '../account-desk.ts'
import type { AccountAction, AccountDesk, AccountEntry, ActionResult } from '../account-desk.ts'
import { mistakeIn } from '../config/base-url.ts'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/placeholders.ts'
import { openRoutes, stateFileOf } from '../gateway.ts'
import { DEFINITIONS } from '../providers.ts'
import { CommandError, inWords } from './command-error.ts'
import { originOf } from './origin.ts'
import { configOption, readSettings, type ConfigFlags } from './read-settings.ts'
import { createRemoteDesk, isGatewayAt } from './remote-desk.ts'
import { signInFileOf } from './sign-in-file.ts'
import { toTable } from './table.ts'

interface Flags extends ConfigFlags {
  readonly url?: string
  readonly json?: boolean
}

const DESCRIPTIONS: Readonly<Record<AccountAction, string>> = {
  clear: 'make an account `ok` again, whatever is known of it',
  probe: 'try an account with one small request',
  disable: 'switch an account off until it is cleared',
}

/** `millrace accounts`: the accounts of a running gateway, or of its files where none runs. */
export function accountsCommand(env: Environment): Command {
  const command = new Command('accounts').description('look after the accounts of providers')
  const add = (name: string, description: string): Command =>
    command
      .command(name, { isDefault: name === 'list' })
      .description(description)
      .addOption(configOption())
  const addAsking = (name: string, description: string): Command =>
    add(name, description)
      .addOption(new Option('--url <origin>', 'where the gateway runs; else as the configuration says'))
      .option('--json', 'as JSON')

  addAsking('list', 'all accounts and their states').action(inWords((flags: Flags) => list(flags, env)))
  for (const action of ACCOUNT_ACTIONS) {
    addAsking(action, DESCRIPTIONS[action])
      .argument('<provider>')
      .argument('<account>')
      .action(inWords((provider: string, name: string, flags: Flags) => act(action, provider, name, flags, env)))
  }
  add('remove', 'delete the sign-in of an account that `millrace login` made')
    .argument('<provider>')
    .argument('<account>')
    .option('--yes', 'without asking')
    .action(inWords((provider: string, name: string, flags: RemoveFlags) => remove(provider, name, flags, env)))
  return command
}

async function list(flags: Flags, env: Environment): Promise<void> {
  const { config } = await readSettings(flags, env)
  await using open = await openDesk(config, flags.url, false)
  const entries = await open.desk.list()
  if (open.note !== undefined) console.error(open.note)
  if (flags.json) console.log(JSON.stringify({ object: 'list', data: entries }, undefined, 2))
  else if (entries.length === 0) console.log('No provider has accounts.')
  else console.log(toTable(COLUMNS, entries.map(toRow)))
}

const COLUMNS = ['PROVIDER', 'ACCOUNT', 'STATE', 'UNTIL', 'LAST USED', 'TODAY', 'REASON']

function toRow({ provider, name, state, until, lastUsedAt, requestsToday, reason }: AccountEntry): string[] {
  return [provider, name, state, toShortTime(until), toShortTime(lastUsedAt), String(requestsToday), reason]
}

function toShortTime(time: string | null): string {
  return time === null ? '-' : time.replace(/\.\d+Z$/, 'Z')
}

async function act(
  action: AccountAction,
  provider: string,
  name: string,
  flags: Flags,
  env: Environment,
): Promise<void> {
  const { config } = await readSettings(flags, env)
  await using open = await openDesk(config, flags.url, true)
  const entries = await open.desk.list()
  if (!entries.some(entry => entry.provider === provider && entry.name === name)) {
    const there = entries.map(entry => `${entry.provider} ${entry.name}`).join(', ')
    throw new CommandError(`There is no account ${provider} ${name}; there are: ${there || 'none'}.`)
  }
  if (open.note !== undefined) console.error(open.note)
  const result = await open.desk.act(provider, name, action, new AbortController().signal)
  console.log(flags.json ? JSON.stringify(result, undefined, 2) : describe(result))
  if (result.outcome === 'failed' || result.outcome === 'not-tried') process.exitCode = 1
}

function describe({ outcome, message, account }: ActionResult): string {
  const until = account.until === null ? '' : ` until ${toShortTime(account.until)}`
  const state = `${account.provider} ${account.name} is ${account.state}${until}.`
  if (outcome === 'failed') return `It failed: ${message}\n${state}`
  if (outcome === 'not-tried') return `It was not tried, as it is switched off, or being tried already.\n${state}`
  return outcome === 'served' ? `It works.\n${state}` : state
}

interface OpenDesk extends AsyncDisposable {
  readonly desk: AccountDesk
  /** What should be known of where this comes from. */
  readonly note?: string
}

/** The accounts of the gateway that runs, else of the state file, which has one writer: a gateway, as long as it runs. */
async function openDesk(config: Config, url: string | undefined, isForWriting: boolean): Promise<OpenDesk> {
  const { adminKey } = config
  const origin = url === undefined ? originOf(config.server) : toOrigin(url)
  const runs = url !== undefined || (await isGatewayAt(origin))
  if (runs && adminKey !== undefined) {
    return { desk: createRemoteDesk(origin, adminKey), async [Symbol.asyncDispose]() {} }
  }
  if (runs && (isForWriting || url !== undefined)) {
    throw new CommandError(
      `A gateway runs at ${origin}, and says and does this only for its admin key: put one into \`admin.key\`, or into the environment variable MILLRACE_ADMIN_KEY, for the gateway and here.`,
    )
  }
  const file = stateFileOf(config)
  const note = runs
    ? `From ${file}: the gateway at ${origin} could say more, but there is no admin key to ask it with.`
    : `From ${file}: no gateway runs at ${origin}.`
  const upstream = createUpstream()
  const states = await openStateFile(file, { onProblem: message => console.error(message) })
  const routes = openRoutes(config, upstream, { states, onNotice: (_provider, message) => console.error(message) })
  return {
    desk: createAccountDesk(routes),
    note,
    async [Symbol.asyncDispose]() {
      await states[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

function toOrigin(text: string): string {
  const url = URL.parse(text)
  if (url === null) throw new CommandError(`--url must be a URL, as in http://127.0.0.1:8080; it is "${text}".`)
  const mistake = mistakeIn(url)
  if (mistake !== undefined) throw new CommandError(`--url ${mistake}.`)
  return url.origin
}

interface RemoveFlags extends ConfigFlags {
  readonly yes?: boolean
}

async function remove(provider: string, name: string, flags: RemoveFlags, env: Environment): Promise<void> {
  const { config, source } = await readSettings(flags, env)
  const file = signInFileOf(config, provider, name)
  const { kind, settings } = config.providers.get(provider) ?? {}
  const signIn = DEFINITIONS.find(definition => definition.kind === kind)?.signIn
  const named = settings && signIn?.fileOf(settings, name)
  const isElsewhere = named !== undefined && resolve(expandHome(named)) !== file
  if (isElsewhere)
    throw new CommandError(`${provider} ${name} uses ${named}, which stays: it is not one of Millrace's.`)
  await access(file).catch(() => {
    throw new CommandError(`There is no sign-in of ${provider} ${name}: ${file} is not there.`)
  })
  if (!flags.yes && !(await confirm(`Delete ${file}, the sign-in of ${provider} ${name}?`))) {
    console.log('Nothing was deleted.')
    return
  }
  await rm(file)
  await rm(file.replace(/\.json$/, '.lock'), { force: true })
  console.log(`Deleted ${file}`)
  if (named !== undefined) {
    const where = source.file === undefined ? 'the configuration' : source.file
    console.log(
      `Take the account \`${name}\` out of \`providers.${provider}.accounts\` in ${where}, and restart the gateway.`,
    )
  }
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CommandError(`${question} Say so with --yes: there is no terminal to ask on.`)
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await lines.question(`${question} [y/N] `)
  lines.close()
  return /^y(?:es)?$/i.test(answer.trim())
}
