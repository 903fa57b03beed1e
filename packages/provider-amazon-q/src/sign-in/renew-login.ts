import { parseObject, type JsonObject } from '@millrace/core'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RefreshRefused } from '@millrace/accounts'
import { exchange, type SignInServer } from './exchange.ts'
import {
  isExpired,
  renewedBy,
  toRegistration,
  type Grant,
  type LoginCredential,
  type LoginMethod,
  type Registration,
} from './login-credential.ts'
import { askOidc, OidcRefusal, toShownWords } from './oidc.ts'

interface Renewal {
  readonly server: SignInServer
  readonly credential: LoginCredential
  readonly refreshToken: string
  /** The file that the credential is from. */
  readonly path: string
  readonly signal: AbortSignal
}

/**
 * The credential with new tokens. Refresh tokens may change with each renewal, and the old one then is worth nothing.
 * @throws {RefreshRefused} only a new login helps
 * @throws {Error} it may work later; the message may be shown
 */
export async function renewLogin(
  server: SignInServer,
  credential: LoginCredential,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<LoginCredential> {
  const { refreshToken, method } = credential
  if (refreshToken === undefined) throw new RefreshRefused('it has expired and has no refresh token')
  const grant = await GRANTS[method]({ server, credential, refreshToken, path, signal })
  const renewed = renewedBy(grant, credential, Date.now())
  if (renewed === undefined) throw new Error('the sign-in server answered without a token')
  return renewed
}

const GRANTS: Readonly<Record<LoginMethod, (renewal: Renewal) => Promise<Grant>>> = {
  async IdC({ server, credential, refreshToken, path, signal }) {
    const registration = credential.registration ?? (await readRegistration(credential, path))
    if (registration === undefined) throw new RefreshRefused('it has expired and its client registration is not there')
    if (isExpired(registration, Date.now())) throw new RefreshRefused('its client registration has expired')
    const { clientId, clientSecret } = registration
    const secrets = [refreshToken, clientSecret, credential.accessToken]
    try {
      return await askOidc(server, { region: credential.region, secrets, signal }, client =>
        client.createToken({ clientId, clientSecret, grantType: 'refresh_token', refreshToken }),
      )
    } catch (error) {
      const isFinal = error instanceof OidcRefusal && isRefusal(error.status) && !PASSING.has(error.code)
      throw isFinal ? new RefreshRefused(error.message) : error
    }
  },

  social({ server, credential, refreshToken, signal }) {
    const { authUrl = `https://prod.${credential.region}.auth.desktop.kiro.dev` } = server
    const url = new URL(`${authUrl.replace(/\/+$/, '')}/refreshToken`)
    const body = JSON.stringify({ refreshToken })
    return post(server, { url, type: 'application/json', body, secrets: secretsOf(credential), signal })
  },

  async external_idp({ server, credential, refreshToken, signal }) {
    if (credential.issuer === undefined) throw new RefreshRefused('it does not say where its identity provider is')
    const { tokenEndpoint, clientId, scopes } = credential.issuer
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken })
    if (scopes !== '') form.set('scope', scopes)
    const answer = await post(server, {
      url: new URL(tokenEndpoint),
      type: 'application/x-www-form-urlencoded',
      body: form.toString(),
      secrets: secretsOf(credential),
      signal,
    })
    return {
      accessToken: answer['access_token'],
      refreshToken: answer['refresh_token'],
      expiresIn: answer['expires_in'],
    }
  },
}

/** Refused with the status of a refusal, but for the moment only. A code that is empty is no answer of that server. */
const PASSING: ReadonlySet<string> = new Set(['', 'slow_down'])

function isRefusal(status: number): boolean {
  return status === 400 || status === 401
}

function secretsOf({ accessToken, refreshToken }: LoginCredential): readonly (string | undefined)[] {
  return [accessToken, refreshToken]
}

/** The registration that Kiro keeps in a file of its own, beside that of the login; undefined where there is none. */
export async function readRegistration(
  { clientIdHash }: LoginCredential,
  path: string,
): Promise<Registration | undefined> {
  if (clientIdHash === undefined || !/^[\w-]+$/.test(clientIdHash)) return undefined
  const text = await readFile(join(dirname(path), `${clientIdHash}.json`), 'utf8').catch(() => '')
  return toRegistration(parseObject(text) ?? {})
}

interface Posting {
  readonly url: URL
  readonly type: string
  readonly body: string
  readonly secrets: readonly (string | undefined)[]
  readonly signal: AbortSignal
}

/** The JSON object that a server grants. @throws as {@link renewLogin} */
async function post({ upstream }: SignInServer, { url, type, body, secrets, signal }: Posting): Promise<JsonObject> {
  const headers = { accept: 'application/json', 'content-type': type }
  const { status, body: bytes } = await exchange(upstream, { url, headers, body: Buffer.from(body) }, signal)
  const value = parseObject(bytes.toString())
  if (value === undefined) throw new Error(`the sign-in server answered ${status} with something else than JSON`)
  if (status === 200) return value
  const told = ['error', 'error_description', 'message']
    .map(name => value[name])
    .filter(word => typeof word === 'string')
  const words = toShownWords(told.join(': '), secrets) || `the sign-in server answered ${status}`
  throw isRefusal(status) ? new RefreshRefused(words) : new Error(words)
}
