import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { expandHome } from '@millrace/accounts'
import type { PendingLogin, ProviderDefinition, SignIn } from '@millrace/core'
import { createUpstream } from '@millrace/upstream'
import { Command, Option } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import { stringify } from 'yaml'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/placeholders.ts'
import { DEFINITIONS } from '../providers.ts'
import { CommandError, inWords } from './command-error.ts'
import { configOption, readSettings, type ConfigFlags } from './read-settings.ts'
import { signInFileOf } from './sign-in-file.ts'

const INTERRUPTED = 130
/** Sign-in servers answer at once or not at all. */
const TIMEOUTS = { connect: 10_000, firstByte: 30_000, idle: 30_000, total: 60_000 }

type Flags = ConfigFlags & Readonly<Record<string, string>>

/** `millrace login`: signs an account in, with a page that somebody approves it on, and keeps the credential in a file. */
export function loginCommand(env: Environment): Command {
  const kinds = DEFINITIONS.filter(({ signIn }) => signIn !== undefined).map(({ kind }) => kind)
  const command = new Command('login')
    .description('sign an account in, and keep its credential in a file')
    .argument('<provider>', `a provider of the configuration, or a kind of provider: ${kinds.join(', ')}`)
    .addOption(configOption())
    .option('--name <account>', 'what the account is called', 'default')
  for (const { option } of OPTIONS.values()) command.addOption(option)
  return command.action(inWords((provider: string, flags: Flags) => login(provider, flags, env)))
}

/** The options of all kinds of providers, by name. */
const OPTIONS = new Map(
  DEFINITIONS.flatMap(({ kind, signIn }) => {
    return (signIn?.options ?? []).map(({ name, value, description }) => {
      return [name, { name, option: new Option(`--${name} <${value}>`, `${kind}: ${description}`) }] as const
    })
  }),
)

async function login(provider: string, flags: Flags, env: Environment): Promise<void> {
  const { config, source } = await readSettings(flags, env)
  const { definition, signIn, settings } = findSignIn(config, provider)
  const name = flags['name']!
  const ownFile = signInFileOf(config, provider, name)
  const configured = config.providers.has(provider) ? signIn.fileOf(settings, name) : undefined
  const path = configured === undefined ? ownFile : resolve(expandHome(configured))
  const request = { name, path, options: optionsFor(definition, flags) }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })

  const interruption = new AbortController()
  const { signal } = interruption
  for (const sign of ['SIGINT', 'SIGTERM']) process.once(sign, () => interruption.abort())
  try {
    await using upstream = createUpstream()
    const deps = { name: provider, upstream, timeouts: TIMEOUTS, onNotice: printNotice }
    const pending = await signIn.start(settings, request, deps, signal)
    if (pending !== undefined) {
      show(pending)
      await pending.finish(signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    console.error('\nEnded: nobody was signed in.')
    process.exitCode = INTERRUPTED
    return
  }
  console.log(`Signed in. The credential of ${name} is in ${path}`)
  if (configured !== undefined) return
  const account = signIn.toAccount(name, path)
  const isInFile = config.providers.has(provider) && !source.found.some(found => found.provider === provider)
  const lines = isInFile
    ? [`To use it, add this to \`accounts\` of \`providers.${provider}\`:`, stringify([account])]
    : [
        'To use it, put this into the configuration:',
        stringify({ providers: { [provider]: { kind: definition.kind, accounts: [account] } } }),
      ]
  console.log(`\n${lines.join('\n\n')}`)
}

interface FoundSignIn {
  readonly definition: ProviderDefinition
  readonly signIn: SignIn<{ kind: string }>
  /** Of the provider, or what its kind has by default. */
  readonly settings: { readonly kind: string }
}

function findSignIn({ providers }: Config, provider: string): FoundSignIn {
  const configured = providers.get(provider)
  const definition = DEFINITIONS.find(({ kind }) => kind === (configured?.kind ?? provider))
  if (definition === undefined) {
    const there = [...new Set([...providers.keys(), ...DEFINITIONS.map(({ kind }) => kind)])]
    throw new CommandError(`There is no provider "${provider}": there are ${there.join(', ')}.`)
  }
  const { signIn } = definition
  if (signIn === undefined) {
    throw new CommandError(`Providers of kind ${definition.kind} have no sign-in: put a key into \`apiKey\`.`)
  }
  return { definition, signIn, settings: configured?.settings ?? definition.config.parse({ kind: definition.kind }) }
}

/** What was given of the options of this kind. @throws {CommandError} one is of another kind */
function optionsFor({ kind, signIn }: ProviderDefinition, flags: Flags): Record<string, string> {
  const own = new Set(signIn?.options?.map(({ name }) => name))
  const given = [...OPTIONS.values()].flatMap(({ name, option }) => {
    const value = flags[option.attributeName()]
    return value === undefined ? [] : [[name, value] as const]
  })
  for (const [name] of given) {
    if (!own.has(name)) throw new CommandError(`--${name} is not for providers of kind ${kind}.`)
  }
  return Object.fromEntries(given)
}

function printNotice(message: string): void {
  console.error(`${message}\n`)
}

function show({ url, userCode, expiresAt }: PendingLogin): void {
  const lines = ['Open this page and approve the sign-in:', '', `  ${url}`, '']
  if (userCode !== '') lines.push(`The code there has to be  ${userCode}`, '')
  if (process.stdout.isTTY) lines.push(renderUnicodeCompact(url), '')
  lines.push(`Waiting until ${new Date(expiresAt).toLocaleTimeString()}. Ctrl-C ends it.`, '')
  console.log(lines.join('\n'))
}
