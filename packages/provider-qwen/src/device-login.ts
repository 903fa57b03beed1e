import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoginError, toSafeText, UpstreamError } from '@millrace/core'
import { toCredential, type QwenCredential } from './credential.ts'
import { CLIENT_ID, postForm, type SignInAnswer, type SignInServer } from './sign-in-server.ts'

const SCOPE = 'openid profile email model.completion'
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

const DEFAULT_LIFE_MS = 600_000
const DEFAULT_INTERVAL_MS = 5000
const MAX_INTERVAL_MS = 10_000
const SLOW_DOWN_FACTOR = 1.5
/** After a rate limit that says nothing of how long it lasts. */
const RATE_LIMIT_MS = 60_000

/** A sign-in that a person has to approve. */
export interface DeviceLogin {
  /** Where to approve it: to be shown as it is, since the page wants all of its parameters. */
  readonly verificationUrl: string
  readonly userCode: string
  /** From now on, milliseconds. */
  readonly expiresInMs: number
  readonly intervalMs: number
  readonly deviceCode: string
  /** Proves to the sign-in server that who asked is who polls. */
  readonly verifier: string
}

/** Asks for a sign-in. @throws {LoginError} the server begins none. @throws {UpstreamError} of the connection */
export async function startDeviceLogin(server: SignInServer, signal: AbortSignal): Promise<DeviceLogin> {
  const verifier = randomBytes(32).toString('base64url')
  const answer = await postForm(
    server,
    'device/code',
    {
      client_id: CLIENT_ID,
      scope: SCOPE,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    },
    signal,
  )
  const { device_code: deviceCode, user_code: userCode, expires_in, interval } = answer.value ?? {}
  const verificationUrl = [answer.value?.['verification_uri_complete'], answer.value?.['verification_uri']].find(
    url => typeof url === 'string',
  )
  if (typeof deviceCode !== 'string' || verificationUrl === undefined) {
    throw new LoginError(`The sign-in server begins no sign-in (${describe(answer)}).`)
  }
  return {
    verificationUrl,
    userCode: typeof userCode === 'string' ? userCode : '',
    expiresInMs: toMs(expires_in) ?? DEFAULT_LIFE_MS,
    intervalMs: toMs(interval) ?? DEFAULT_INTERVAL_MS,
    deviceCode,
    verifier,
  }
}

export interface PollOptions {
  readonly signal: AbortSignal
  /** Waits so many milliseconds; tests hand in their own. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
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
): Promise<QwenCredential> {
  const form = {
    grant_type: DEVICE_GRANT,
    client_id: CLIENT_ID,
    device_code: login.deviceCode,
    code_verifier: login.verifier,
  }
  let { intervalMs } = login
  let wasLimited = false
  let leftMs = login.expiresInMs
  let pauseMs = intervalMs
  while (leftMs > 0) {
    await wait(pauseMs, signal).catch(() => signal.throwIfAborted())
    leftMs -= pauseMs
    const answer = await postForm(server, 'token', form, signal).catch(passing)
    pauseMs = intervalMs
    const next = answer === undefined ? 'pending' : meaningOf(answer)
    if (next === 'slow-down') pauseMs = intervalMs = Math.min(intervalMs * SLOW_DOWN_FACTOR, MAX_INTERVAL_MS)
    else if (next === 'rate-limited') {
      if (wasLimited) throw new LoginError('The sign-in server limits the rate: try again in a few minutes.')
      wasLimited = true
      pauseMs = answer?.retryAfterMs ?? RATE_LIMIT_MS
    } else if (next !== 'pending') return next
  }
  throw new LoginError(OVERDUE)
}

function passing(error: unknown): undefined {
  if (!(error instanceof UpstreamError)) throw error
}

const OVERDUE = 'The sign-in was not approved in time: start it again.'

/** Errors that end a sign-in. */
const ENDINGS: Readonly<Record<string, string>> = {
  expired_token: OVERDUE,
  access_denied: 'The sign-in was refused.',
}

/** What an answer to a poll says: the server says some things with more than one status. @throws {LoginError} */
function meaningOf(answer: SignInAnswer): QwenCredential | 'pending' | 'slow-down' | 'rate-limited' {
  const { status, value, error, isPage } = answer
  const credential = status === 200 && value !== undefined ? toCredential(value, Date.now()) : undefined
  if (credential !== undefined) return credential
  if (error === 'slow_down') return 'slow-down'
  if (error === 'authorization_pending') return 'pending'
  const ending = ENDINGS[error] ?? (status === 401 ? OVERDUE : undefined)
  if (ending !== undefined) throw new LoginError(ending)
  if (isPage || status >= 500) return 'pending'
  if (status === 429) return 'rate-limited'
  if (error !== '' || status >= 400) throw new LoginError(`The sign-in failed (${describe(answer)}).`)
  return 'pending'
}

function describe({ status, words }: SignInAnswer): string {
  return toSafeText(words) || `status ${status}`
}

/** A number of seconds in milliseconds. */
function toMs(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined
}
