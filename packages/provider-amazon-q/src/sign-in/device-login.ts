import { setTimeout as sleep } from 'node:timers/promises'
import { LoginError, UpstreamError } from '@millrace/core'
import type { SignInServer } from './exchange.ts'
import { isExpired, type LoginCredential, type Registration } from './login-credential.ts'
import { askOidc, OidcRefusal } from './oidc.ts'

const CLIENT_NAME = 'Millrace'
const SCOPES = ['codewhisperer:completions', 'codewhisperer:analysis', 'codewhisperer:conversations']
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

const DEFAULT_LIFE_S = 600
const DEFAULT_INTERVAL_S = 5
const SLOW_DOWN_MS = 5000

/** Where somebody signs in. */
export interface SignInPlace {
  readonly startUrl: string
  readonly region: string
}

/** A sign-in that a person has to approve. */
export interface DeviceLogin extends SignInPlace {
  /** Where to approve it, code included. */
  readonly verificationUrl: string
  readonly userCode: string
  /** From now on, milliseconds. */
  readonly expiresInMs: number
  readonly intervalMs: number
  readonly deviceCode: string
  readonly registration: Registration
}

/**
 * Asks for a sign-in. A registration of the gateway lasts for months, so `known` is used where it still is good.
 * @throws {LoginError} the server begins none. @throws {UpstreamError} of the connection
 */
export async function startDeviceLogin(
  server: SignInServer,
  place: SignInPlace,
  { known, signal }: { known: Registration | undefined; signal: AbortSignal },
): Promise<DeviceLogin> {
  try {
    if (known !== undefined && !isExpired(known, Date.now())) {
      const login = await authorize(server, place, known, signal).catch(unlessUnknown)
      if (login !== undefined) return login
    }
    return await authorize(server, place, await register(server, place, signal), signal)
  } catch (error) {
    if (!(error instanceof OidcRefusal)) throw error
    throw new LoginError(`The sign-in server begins no sign-in (${error.message}).`)
  }
}

/** A registration that the server has forgotten is made anew. */
function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof OidcRefusal) || error.code !== 'invalid_client') throw error
}

async function register(server: SignInServer, { region }: SignInPlace, signal: AbortSignal): Promise<Registration> {
  const { clientId, clientSecret, clientSecretExpiresAt } = await askOidc(
    server,
    { region, secrets: [], signal },
    client => client.registerClient({ clientName: CLIENT_NAME, clientType: 'public', scopes: SCOPES }),
  )
  if (!clientId || !clientSecret) throw new LoginError('The sign-in server does not register the gateway.')
  return { clientId, clientSecret, expiresAt: clientSecretExpiresAt ? clientSecretExpiresAt * 1000 : undefined }
}

async function authorize(
  server: SignInServer,
  { startUrl, region }: SignInPlace,
  registration: Registration,
  signal: AbortSignal,
): Promise<DeviceLogin> {
  const { clientId, clientSecret } = registration
  const answer = await askOidc(server, { region, secrets: [clientSecret], signal }, client =>
    client.startDeviceAuthorization({ clientId, clientSecret, startUrl }),
  )
  const verificationUrl = answer.verificationUriComplete ?? answer.verificationUri
  if (!answer.deviceCode || !verificationUrl) throw new LoginError('The sign-in server begins no sign-in.')
  return {
    startUrl,
    region,
    registration,
    verificationUrl,
    userCode: answer.userCode ?? '',
    expiresInMs: (answer.expiresIn || DEFAULT_LIFE_S) * 1000,
    intervalMs: (answer.interval || DEFAULT_INTERVAL_S) * 1000,
    deviceCode: answer.deviceCode,
  }
}

interface PollOptions {
  readonly signal: AbortSignal
  /** Waits so many milliseconds; tests hand in their own. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

const OVERDUE = 'The sign-in was not approved in time: start it again.'

/** Errors that end a sign-in, in words. */
const ENDINGS: Readonly<Record<string, string>> = {
  expired_token: OVERDUE,
  access_denied: 'The sign-in was refused.',
}

/**
 * The credential, as soon as the sign-in is approved. A server that stumbles meanwhile is asked on.
 * @throws {LoginError} it was refused, or not approved in time
 * @throws the reason of `signal`
 */
export async function pollDeviceLogin(
  server: SignInServer,
  login: DeviceLogin,
  { signal, wait = (ms, signal) => sleep(ms, undefined, { signal }) }: PollOptions,
): Promise<LoginCredential> {
  let { intervalMs } = login
  for (let leftMs = login.expiresInMs; leftMs > 0; leftMs -= intervalMs) {
    await wait(intervalMs, signal).catch(() => signal.throwIfAborted())
    const outcome = await redeem(server, login, signal).catch(toOutcome)
    if (typeof outcome === 'object') return outcome
    if (outcome === 'slow-down') intervalMs += SLOW_DOWN_MS
    signal.throwIfAborted()
  }
  throw new LoginError(OVERDUE)
}

async function redeem(server: SignInServer, login: DeviceLogin, signal: AbortSignal): Promise<LoginCredential> {
  const { region, startUrl, registration, deviceCode } = login
  const { clientId, clientSecret } = registration
  const grant = await askOidc(server, { region, secrets: [clientSecret, deviceCode], signal }, client =>
    client.createToken({ clientId, clientSecret, grantType: DEVICE_GRANT, deviceCode }),
  )
  if (!grant.accessToken) throw new LoginError('The sign-in server answered without a token.')
  return {
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    expiresAt: grant.expiresIn ? Date.now() + grant.expiresIn * 1000 : undefined,
    method: 'IdC',
    isKiro: false,
    region,
    startUrl,
    registration,
    profileArn: undefined,
    clientIdHash: undefined,
    issuer: undefined,
    copiedFrom: undefined,
  }
}

/** What an answer other than a credential means. @throws {LoginError} the end */
function toOutcome(error: unknown): 'pending' | 'slow-down' {
  if (error instanceof UpstreamError) return 'pending'
  if (!(error instanceof OidcRefusal)) throw error
  const { code, status, message } = error
  if (code === 'slow_down') return 'slow-down'
  if (code === 'authorization_pending' || code === '' || status >= 500) return 'pending'
  throw new LoginError(ENDINGS[code] ?? `The sign-in failed (${message}).`)
}
