import { parseObject, type JsonObject } from '@millrace/core'
import type { DatabaseSync } from 'node:sqlite'
import { fingerprintOf } from '@millrace/accounts'
import { parseLogin, type LoginCredential, type LoginMethod } from './login-credential.ts'

/** How long to wait while its program writes, milliseconds; nothing else happens meanwhile. */
const BUSY_MS = 200

/** Where the programs keep what kind of login. The misspelling is theirs. */
const TOKENS: readonly { readonly key: string; readonly method: LoginMethod; readonly registration?: string }[] = [
  { key: 'kirocli:odic:token', method: 'IdC', registration: 'kirocli:odic:device-registration' },
  { key: 'kirocli:oidc:token', method: 'IdC', registration: 'kirocli:odic:device-registration' },
  { key: 'kirocli:social:token', method: 'social' },
  { key: 'kirocli:external-idp:token', method: 'external_idp' },
  { key: 'codewhisperer:odic:token', method: 'IdC', registration: 'codewhisperer:odic:device-registration' },
]

const PROFILE = 'api.codewhisperer.profile'

/**
 * The login in the database of Amazon Q's or Kiro's command line, of several the one that lasts longest. The database
 * is not written.
 * @throws {Error} there is none; the message may be shown
 */
export async function readDatabase(path: string): Promise<LoginCredential> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })
  try {
    const secrets = readTable(database, 'auth_kv')
    const logins = TOKENS.flatMap(({ key, method, registration = '' }) => {
      const token = toCamelCase(secrets.get(key))
      if (typeof token['accessToken'] !== 'string') return []
      const client = toCamelCase(secrets.get(registration))
      const isUsable = client['region'] === undefined || client['region'] === token['region']
      const profile = method === 'IdC' ? toCamelCase(readTable(database, 'state').get(PROFILE)) : {}
      return [
        parseLogin({
          profileArn: profile['arn'],
          ...(isUsable ? client : undefined),
          ...token,
          authMethod: method,
          isKiro: key.startsWith('kirocli:'),
          copiedFrom: fingerprintOf(token['accessToken']),
        }),
      ]
    })
    const [latest] = logins.toSorted((one, other) => (other.expiresAt ?? 0) - (one.expiresAt ?? 0))
    if (latest === undefined) throw new Error('its database holds no login')
    return latest
  } finally {
    database.close()
  }
}

/** A table of keys and values, which may be bytes; empty where there is no such table. */
function readTable(database: DatabaseSync, table: 'auth_kv' | 'state'): ReadonlyMap<unknown, string> {
  const isThere = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined
  const rows = isThere ? database.prepare(`SELECT key, CAST(value AS TEXT) AS value FROM ${table}`).all() : []
  return new Map(rows.map(({ key, value }) => [key, typeof value === 'string' ? value : '']))
}

/** A JSON object with its members in the spelling of the files; an empty one where it is none. */
function toCamelCase(text = ''): JsonObject {
  return Object.fromEntries(
    Object.entries(parseObject(text) ?? {}).map(([name, member]) => [
      name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
      member,
    ]),
  )
}
