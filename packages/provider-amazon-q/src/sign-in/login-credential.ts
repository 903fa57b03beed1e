import { textOf, type JsonObject } from '@millrace/core'
import type { Credential } from '@millrace/accounts'
import { DEFAULT_REGION, REGION } from '../regions.ts'

/** How the tokens of a login are renewed: by AWS's sign-in server, by that of Kiro, or by a company's own. */
export type LoginMethod = 'IdC' | 'social' | 'external_idp'

/** The program that a login was given to, as its sign-in server knows it. */
export interface Registration {
  readonly clientId: string
  readonly clientSecret: string
  /** Unix time, milliseconds. */
  readonly expiresAt: number | undefined
}

/** The login of a person. */
export interface LoginCredential extends Credential {
  readonly refreshToken: string | undefined
  readonly method: LoginMethod
  /** Whether it is for Kiro, which is served at hosts of its own; else for Amazon Q. */
  readonly isKiro: boolean
  /** Of the sign-in server, which is not always where requests go. */
  readonly region: string
  /** Where the organisation signs in. */
  readonly startUrl: string | undefined
  readonly profileArn: string | undefined
  readonly registration: Registration | undefined
  /** The name, without `.json`, of the file beside that has the registration. */
  readonly clientIdHash: string | undefined
  /** A company's own sign-in server. */
  readonly issuer: { readonly tokenEndpoint: string; readonly clientId: string; readonly scopes: string } | undefined
  /** Tells which login of another program this one goes back to. */
  readonly copiedFrom: string | undefined
}

export const BUILDER_ID = 'https://view.awsapps.com/start'

/** Tells files that the gateway has made from those of other programs. */
const MADE_BY = { madeBy: 'millrace' }

export function isOwnFile(members: JsonObject): boolean {
  return members['madeBy'] === MADE_BY.madeBy
}

/**
 * Kiro's file, or one that says more: that of the gateway's own, or what was made of a database.
 * @throws {Error} it is none; the message may be shown
 */
export function parseLogin(members: JsonObject): LoginCredential {
  const text = (name: string): string | undefined => textOf(members[name]) || undefined
  const accessToken = text('accessToken')
  if (accessToken === undefined) throw new Error('its credential file has no `accessToken`')
  const region = text('region') ?? DEFAULT_REGION
  if (!REGION.test(region)) throw new Error('its credential file has a `region` that is none')
  const clientId = text('clientId')
  const tokenEndpoint = text('tokenEndpoint')
  const method = methodOf(members)
  const { isKiro = method === 'social' || !isOwnFile(members) } = members
  return {
    accessToken,
    refreshToken: text('refreshToken'),
    expiresAt: timeOf(members['expiresAt']),
    method,
    isKiro: isKiro === true,
    region,
    startUrl: text('startUrl'),
    profileArn: text('profileArn'),
    registration: toRegistration(members, 'clientSecretExpiresAt'),
    clientIdHash: text('clientIdHash'),
    issuer:
      clientId !== undefined && tokenEndpoint !== undefined
        ? { tokenEndpoint, clientId, scopes: scopesOf(members['scopes']) }
        : undefined,
    copiedFrom: text('copiedFrom'),
  }
}

/** What Kiro's file of a registration holds, which calls the time as `expiresAt`; undefined where it is not whole. */
export function toRegistration(members: JsonObject, expiry = 'expiresAt'): Registration | undefined {
  const clientId = textOf(members['clientId'])
  const clientSecret = textOf(members['clientSecret'])
  if (clientId === '' || clientSecret === '') return undefined
  return { clientId, clientSecret, expiresAt: timeOf(members[expiry]) }
}

/** What a renewal changes: the rest of another program's file is left as that wrote it. */
export function toRenewedMembers({ accessToken, refreshToken, expiresAt, profileArn }: LoginCredential): JsonObject {
  return { accessToken, refreshToken, expiresAt: dateOf(expiresAt), profileArn }
}

/** All members of a file of the gateway's own. */
export function toOwnMembers(credential: LoginCredential): JsonObject {
  const { method, isKiro, region, startUrl, registration, issuer, copiedFrom } = credential
  return {
    ...MADE_BY,
    ...toRenewedMembers(credential),
    authMethod: method,
    isKiro,
    region,
    startUrl,
    clientId: registration?.clientId ?? issuer?.clientId,
    clientSecret: registration?.clientSecret,
    clientSecretExpiresAt: dateOf(registration?.expiresAt),
    tokenEndpoint: issuer?.tokenEndpoint,
    scopes: issuer?.scopes,
    copiedFrom,
  }
}

/** What a sign-in server grants, at `now`. */
export interface Grant {
  readonly accessToken?: unknown
  readonly refreshToken?: unknown
  readonly expiresIn?: unknown
  readonly profileArn?: unknown
}

/** The credential after a renewal, which keeps what the answer leaves out; undefined where it grants nothing. */
export function renewedBy(grant: Grant, previous: LoginCredential, now: number): LoginCredential | undefined {
  const accessToken = textOf(grant.accessToken)
  if (accessToken === '') return undefined
  return {
    ...previous,
    accessToken,
    refreshToken: textOf(grant.refreshToken) || previous.refreshToken,
    profileArn: textOf(grant.profileArn) || previous.profileArn,
    expiresAt: typeof grant.expiresIn === 'number' && grant.expiresIn > 0 ? now + grant.expiresIn * 1000 : undefined,
  }
}

/** Of this much before their end, registrations and tokens count as expired. */
const EXPIRY_MS = 60_000

export function isExpired({ expiresAt = Infinity }: { expiresAt?: number | undefined }, now: number): boolean {
  return now + EXPIRY_MS > expiresAt
}

/** Kiro calls the first of them by several names. */
function methodOf({ authMethod, clientIdHash, clientId, tokenEndpoint }: JsonObject): LoginMethod {
  if (typeof authMethod === 'string') {
    const lower = authMethod.toLowerCase()
    return lower === 'social' || lower === 'external_idp' ? lower : 'IdC'
  }
  if (tokenEndpoint !== undefined) return 'external_idp'
  return clientIdHash !== undefined || clientId !== undefined ? 'IdC' : 'social'
}

function scopesOf(value: unknown): string {
  return Array.isArray(value) ? value.filter(scope => typeof scope === 'string').join(' ') : textOf(value)
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isNaN(time) ? undefined : time
}

function dateOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString()
}
