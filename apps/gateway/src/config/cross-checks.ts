import { isLoopback, leadsTo, mistakeIn } from './base-url.ts'
import type { Path } from './config-error.ts'
import { nearest } from './nearest.ts'
import { isMembers } from './plain-data.ts'
import type { Members } from './plain-data.ts'
import { DEFAULT_ADDRESS } from './schema.ts'

const MIN_KEY_LENGTH = 16
const MIN_ADMIN_KEY_LENGTH = 32

/** Headers that the gateway itself sets, or that belong to one connection. */
const OWN_HEADERS = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

type Report = (path: Path, message: string) => void

/**
 * Reports what a schema cannot see: settings that do not go together, and what is not safe. Reads defensively, since
 * it also looks at what the schema has refused, so that all mistakes come at once. In the providers it goes by names:
 * `baseUrl`, `apiKey`, `headers`, `accounts`, `owner` and the like mean the same in every kind.
 */
export function crossCheck(file: unknown, report: Report): void {
  const { server, auth, admin, providers, defaultProvider, aliases, demo } = toMembers(file)
  const { host, port }: Members = { ...DEFAULT_ADDRESS, ...toMembers(server) }
  const keys = toClientKeys(toMembers(auth)['keys'])
  checkKeys(keys, report)
  checkAdminKey(toMembers(admin)['key'], keys, report)
  if (typeof host === 'string' && host !== '' && !isLoopback(host) && keys.every(({ key }) => key === '')) {
    report(
      ['server', 'host'],
      `other machines can reach the gateway on ${host}, so a key is needed: put one into \`auth.keys\`, or into the environment variable MILLRACE_API_KEY`,
    )
  }
  for (const [name, provider] of Object.entries(toMembers(providers))) {
    const at = ['providers', name]
    if (name === 'demo' && demo !== false) {
      report(at, 'is the name of the built-in provider: choose another, or set `demo: false`')
    }
    const { headers, accounts, models, defaultModel } = toMembers(provider)
    checkService(at, toMembers(provider), host, port, report)
    for (const [index, account] of toList(accounts).entries()) {
      const { owner, shared, ...service } = toMembers(account)
      checkService([...at, 'accounts', index], service, host, port, report)
      if (typeof owner === 'string') checkOwner([...at, 'accounts', index, 'owner'], owner, keys, report)
      else if (shared !== true) checkPersonal([...at, 'accounts', index], service, keys, report)
    }
    checkHeaders([...at, 'headers'], headers, report)
    const offered = toList(models)
    if (typeof defaultModel === 'string' && models !== undefined && !offered.includes(defaultModel)) {
      report([...at, 'defaultModel'], `is not in \`models\` of the same provider${hint(defaultModel, offered)}`)
    }
  }
  const names = [...new Set([...Object.keys(toMembers(providers)), ...(demo === false ? [] : ['demo'])])]
  if (typeof defaultProvider === 'string' && !names.includes(defaultProvider)) {
    report(['defaultProvider'], noProvider(defaultProvider, names))
  }
  for (const name of Object.keys(toMembers(aliases))) {
    const mistake = mistakeInAlias(name, toMembers(aliases), toMembers(providers), names, defaultProvider !== undefined)
    if (mistake !== undefined) report(['aliases', name], mistake)
  }
}

function noProvider(name: string, names: readonly string[]): string {
  const there = names.length === 0 ? 'there are none' : `there are ${names.map(other => `\`${other}\``).join(', ')}`
  return `there is no provider \`${name}\`; ${there}${hint(name, names)}`
}

/** What is wrong with where an alias leads, by way of others if need be. */
function mistakeInAlias(
  alias: string,
  aliases: Members,
  providers: Members,
  names: readonly string[],
  hasDefault: boolean,
): string | undefined {
  const way = [alias]
  for (let model = aliases[alias]; typeof model === 'string'; model = aliases[model]) {
    if (way.includes(model)) return `never leads to a model: ${[...way, model].join(' → ')}`
    way.push(model)
    if (Object.hasOwn(aliases, model)) continue
    const [provider = '', rest = ''] = model.split(/\/(.*)/s)
    if (!names.includes(provider)) return hasDefault ? undefined : noProvider(provider, names)
    const hasModel =
      rest !== '' || 'defaultModel' in toMembers(providers[provider]) || !Object.hasOwn(providers, provider)
    return hasModel ? undefined : `names no model of the provider \`${provider}\`, which has no \`defaultModel\``
  }
  return undefined
}

interface FoundKey {
  readonly path: Path
  readonly key: unknown
  readonly name: unknown
}

function toClientKeys(keys: unknown): readonly FoundKey[] {
  return toList(keys).map((entry, index) => {
    const path = ['auth', 'keys', index]
    const { name, key } = toMembers(entry)
    return isMembers(entry) ? { path: [...path, 'key'], key, name } : { path, key: entry, name: undefined }
  })
}

function checkKeys(keys: readonly FoundKey[], report: Report): void {
  const seen = new Map<unknown, unknown>()
  for (const { path, key, name } of keys) {
    if (typeof key !== 'string' || key === '') continue
    checkKey(path, key, MIN_KEY_LENGTH, report)
    if (seen.has(key) && seen.get(key) !== name) report(path, 'is in the list already, under another name')
    seen.set(key, name)
  }
}

function checkAdminKey(key: unknown, clientKeys: readonly FoundKey[], report: Report): void {
  if (typeof key !== 'string' || key === '') return
  const path = ['admin', 'key']
  checkKey(path, key, MIN_ADMIN_KEY_LENGTH, report)
  if (clientKeys.some(client => client.key === key)) {
    report(path, 'is in `auth.keys` as well: clients must not have the key of the admin API')
  }
}

function checkKey(path: Path, key: string, minLength: number, report: Report): void {
  if (!isVisible(key)) {
    report(path, 'cannot be sent by a client: a key is one word of visible ASCII characters')
  } else if (key.length < minLength) {
    report(
      path,
      `is short enough to be guessed: use at least ${minLength} characters, for instance from \`openssl rand -hex 24\``,
    )
  }
}

function checkOwner(path: Path, owner: string, keys: readonly FoundKey[], report: Report): void {
  const names = keys.map(({ name }) => name)
  if (names.includes(owner)) return
  report(path, `is not the name of a key in \`auth.keys\`${hint(owner, names)}`)
}

/** The login of a person must not serve everybody unless somebody has said so. */
function checkPersonal(path: Path, account: Members, keys: readonly FoundKey[], report: Report): void {
  const isPersonal = account['login'] !== undefined || account['sso'] !== undefined
  if (!isPersonal || keys.filter(({ key }) => key !== '').length < 2) return
  report(
    path,
    "is somebody's personal login, and several keys may use the gateway: say with `owner` whose it is, or with `shared: true` that it serves all",
  )
}

/** What a provider, or one of its accounts, says of where it is and of how to sign in there. */
function checkService(at: Path, service: Members, host: unknown, port: unknown, report: Report): void {
  for (const name of ['baseUrl', 'messagesUrl', 'endpoint', 'authUrl'])
    checkBaseUrl([...at, name], service[name], host, port, report)
  for (const name of ['apiKey', 'accessToken']) {
    const key = service[name]
    if (typeof key === 'string' && !isVisible(key)) {
      report([...at, name], 'cannot be sent as it is: a key is one word of visible ASCII characters')
    }
  }
}

function checkBaseUrl(path: Path, baseUrl: unknown, host: unknown, port: unknown, report: Report): void {
  const url = typeof baseUrl === 'string' ? URL.parse(baseUrl) : null
  if (url === null) return
  const mistake = mistakeIn(url)
  if (mistake !== undefined) report(path, mistake)
  else if (typeof host === 'string' && typeof port === 'number' && leadsTo(url, host, port)) {
    report(path, `leads to this gateway itself, which listens on port ${port}: give one of the two another port`)
  }
}

function checkHeaders(path: Path, headers: unknown, report: Report): void {
  for (const [name, value] of Object.entries(toMembers(headers))) {
    if (OWN_HEADERS.has(name.toLowerCase())) {
      const instead = name.toLowerCase() === 'authorization' ? ': use `apiKey`' : ''
      report([...path, name], `is a header that the gateway sets itself${instead}`)
    } else if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      report([...path, name], 'is no name for a header: use letters, digits and `-`')
    } else if (typeof value === 'string' && !/^[\t\x20-\x7e]*$/.test(value)) {
      report([...path, name], 'cannot be sent in a header: use one line of ASCII characters')
    }
  }
}

function isVisible(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}

function hint(word: string, names: readonly unknown[]): string {
  const near = nearest(
    word,
    names.filter(name => typeof name === 'string'),
  )
  return near === undefined ? '' : `; did you mean \`${near}\`?`
}

function toMembers(value: unknown): Members {
  return isMembers(value) ? value : {}
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
