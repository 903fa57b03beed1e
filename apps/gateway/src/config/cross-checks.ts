import { isLoopback, leadsTo, mistakeIn } from './base-url.ts'
import type { Path } from './config-error.ts'
import { nearest } from './nearest.ts'
import { isMembers } from './plain-data.ts'
import type { Members } from './plain-data.ts'
import { DEFAULT_ADDRESS } from './schema.ts'

const MIN_KEY_LENGTH = 16

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
 * `baseUrl`, `apiKey` and `headers` mean the same in every kind.
 */
export function crossCheck(file: unknown, report: Report): void {
  const { server, auth, providers, defaultProvider, demo } = toMembers(file)
  const { host, port }: Members = { ...DEFAULT_ADDRESS, ...toMembers(server) }
  const keys = toList(toMembers(auth)['keys'])
  checkKeys(keys, report)
  if (typeof host === 'string' && host !== '' && !isLoopback(host) && keys.every(key => key === '')) {
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
    const { baseUrl, apiKey, headers, models, defaultModel } = toMembers(provider)
    checkBaseUrl([...at, 'baseUrl'], baseUrl, host, port, report)
    if (typeof apiKey === 'string' && !isVisible(apiKey)) {
      report([...at, 'apiKey'], 'cannot be sent as it is: a key is one word of visible ASCII characters')
    }
    checkHeaders([...at, 'headers'], headers, report)
    const offered = toList(models)
    if (typeof defaultModel === 'string' && models !== undefined && !offered.includes(defaultModel)) {
      report([...at, 'defaultModel'], `is not in \`models\` of the same provider${hint(defaultModel, offered)}`)
    }
  }
  if (typeof defaultProvider === 'string') {
    const names = [...new Set([...Object.keys(toMembers(providers)), ...(demo === false ? [] : ['demo'])])]
    if (!names.includes(defaultProvider)) {
      const there = names.length === 0 ? 'there are none' : `there are ${names.map(name => `\`${name}\``).join(', ')}`
      report(
        ['defaultProvider'],
        `there is no provider \`${defaultProvider}\`; ${there}${hint(defaultProvider, names)}`,
      )
    }
  }
}

function checkKeys(keys: readonly unknown[], report: Report): void {
  for (const [index, key] of keys.entries()) {
    if (typeof key !== 'string' || key === '') continue
    if (!isVisible(key)) {
      report(['auth', 'keys', index], 'cannot be sent by a client: a key is one word of visible ASCII characters')
    } else if (key.length < MIN_KEY_LENGTH) {
      report(
        ['auth', 'keys', index],
        `is short enough to be guessed: use at least ${MIN_KEY_LENGTH} characters, for instance from \`openssl rand -hex 24\``,
      )
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
