import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimulatedAmazonQ } from '../simulated-service.ts'

const HOUR_MS = 3_600_000

/** What somebody was given who has signed in. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  /** ISO 8601. */
  readonly expiresAt: string
  readonly client: { readonly id: string; readonly secret: string; readonly expiresAt: string }
}

/** Tokens that the service takes, whatever is written down of when they end. */
export async function issueTokens(
  { control }: SimulatedAmazonQ,
  account: string,
  expiresInMs = HOUR_MS,
): Promise<Tokens> {
  const accessToken = `aoa-canary-access-${account}`
  const refreshToken = `aor-canary-refresh-${account}`
  const issueTokens = { account, accessToken, refreshToken, expiresIn: 3600 }
  const { clients } = await control({ registerClient: {}, issueTokens })
  const { clientId: id, clientSecret: secret } = clients.at(-1)!
  return {
    accessToken,
    refreshToken,
    expiresAt: toDate(expiresInMs),
    client: { id, secret, expiresAt: toDate(1000 * HOUR_MS) },
  }
}

function toDate(inMs: number): string {
  return new Date(Date.now() + inMs).toISOString()
}

/** What `millrace login` keeps of a sign-in. */
export function toOwnLogin({ client, ...tokens }: Tokens): object {
  return {
    madeBy: 'millrace',
    ...tokens,
    authMethod: 'IdC',
    region: 'us-east-1',
    startUrl: 'https://view.awsapps.com/start',
    clientId: client.id,
    clientSecret: client.secret,
    clientSecretExpiresAt: client.expiresAt,
  }
}

export interface Folder extends AsyncDisposable {
  readonly path: string
  /** Writes a file into it, and gives its path. */
  write(name: string, content: object): Promise<string>
}

export async function createFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-amazon-q-'))
  return {
    path,
    async write(name, content) {
      const file = join(path, name)
      await writeFile(file, JSON.stringify(content))
      return file
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

/** A database as Amazon Q's command line has it, with a login; what is in it already is replaced. */
export function writeDatabase(file: string, { accessToken, refreshToken, expiresAt, client }: Tokens): void {
  const common = { region: 'us-east-1', oauth_flow: 'DeviceCode', scopes: ['codewhisperer:conversations'] }
  const rows = {
    'codewhisperer:odic:token': {
      ...common,
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_at: expiresAt,
      start_url: 'https://view.awsapps.com/start',
    },
    'codewhisperer:odic:device-registration': {
      ...common,
      client_id: client.id,
      client_secret: client.secret,
      client_secret_expires_at: client.expiresAt,
    },
  }
  using database = new DatabaseSync(file)
  database.exec('CREATE TABLE IF NOT EXISTS auth_kv (key TEXT PRIMARY KEY, value TEXT)')
  const insert = database.prepare('INSERT OR REPLACE INTO auth_kv VALUES (?, ?)')
  for (const [key, value] of Object.entries(rows)) insert.run(key, JSON.stringify(value))
}

/** The file of Kiro with a login of an Identity Center, and the one beside it with the registration. */
export async function writeKiroLogin(folder: Folder, { client, ...tokens }: Tokens): Promise<string> {
  const clientIdHash = 'e61c1e2a2e3d'
  await folder.write(`${clientIdHash}.json`, {
    clientId: client.id,
    clientSecret: client.secret,
    expiresAt: client.expiresAt,
  })
  const common = { authMethod: 'IdC', provider: 'BuilderId', region: 'us-east-1' }
  return folder.write('kiro-auth-token.json', { ...tokens, ...common, clientIdHash })
}
