import { DatabaseSync } from 'node:sqlite'

const HOUR_MS = 3_600_000

/** A file that the gateway has made: the token of this number, over since an hour unless said otherwise. */
export function ownLogin(number: number, lifeMs = -HOUR_MS): Record<string, unknown> {
  return {
    madeBy: 'millrace',
    accessToken: `aoa-test-${number}`,
    refreshToken: `aor-test-${number}`,
    expiresAt: new Date(Date.now() + lifeMs).toISOString(),
    authMethod: 'IdC',
    region: 'us-east-1',
    startUrl: 'https://view.awsapps.com/start',
    clientId: 'client-test',
    clientSecret: 'secret-test',
    clientSecretExpiresAt: new Date(Date.now() + 1000 * HOUR_MS).toISOString(),
  }
}

/** A row of a command line's database: the token of this number. */
export function cliToken(number: number, lifeMs = -HOUR_MS): Record<string, unknown> {
  return {
    access_token: `aoa-test-${number}`,
    expires_at: new Date(Date.now() + lifeMs).toISOString().replace('Z', '456789Z'),
    refresh_token: `aor-test-${number}`,
    region: 'us-east-1',
    start_url: 'https://view.awsapps.com/start',
    oauth_flow: 'DeviceCode',
    scopes: ['codewhisperer:completions', 'codewhisperer:analysis', 'codewhisperer:conversations'],
  }
}

export function cliRegistration(): Record<string, unknown> {
  return {
    client_id: 'client-test',
    client_secret: 'secret-test',
    client_secret_expires_at: new Date(Date.now() + 1000 * HOUR_MS).toISOString(),
    region: 'us-east-1',
    oauth_flow: 'DeviceCode',
    scopes: ['codewhisperer:completions'],
  }
}

/** Makes the database of a command line, or replaces rows of it. */
export function writeDatabase(
  path: string,
  logins: Readonly<Record<string, unknown>>,
  state: Readonly<Record<string, unknown>> = {},
): void {
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE IF NOT EXISTS auth_kv (key TEXT PRIMARY KEY, value TEXT)')
  database.exec('CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB)')
  const login = database.prepare('INSERT OR REPLACE INTO auth_kv VALUES (?, ?)')
  for (const [key, value] of Object.entries(logins)) login.run(key, JSON.stringify(value))
  const fact = database.prepare('INSERT OR REPLACE INTO state VALUES (?, ?)')
  for (const [key, value] of Object.entries(state)) fact.run(key, Buffer.from(JSON.stringify(value)))
}

/** What Amazon Q's command line keeps of a login. */
export function amazonQLogin(number: number, lifeMs?: number): Record<string, unknown> {
  return {
    'codewhisperer:odic:token': cliToken(number, lifeMs),
    'codewhisperer:odic:device-registration': cliRegistration(),
  }
}
