import type { JsonObject } from '@millrace/core'
import type { Credential } from '@millrace/accounts'

/** A sign-in, as its file holds it. */
export interface QwenCredential extends Credential {
  /** Good for the next token; it may change with each. Without one the sign-in ends with its token. */
  readonly refreshToken: string | undefined
  readonly tokenType: string
  /** Where the token is good, as the sign-in server says: a host or a URL. */
  readonly resourceUrl: string | undefined
}

/** The official client's file; times in milliseconds. @throws {Error} it is none; the message may be shown */
export function parseCredential(members: JsonObject): QwenCredential {
  const { access_token: accessToken, refresh_token: refreshToken, token_type: tokenType } = members
  if (!isText(accessToken)) throw new Error('its credential file has no `access_token`')
  return {
    accessToken,
    refreshToken: isText(refreshToken) ? refreshToken : undefined,
    tokenType: isText(tokenType) ? tokenType : 'Bearer',
    resourceUrl: isText(members['resource_url']) ? members['resource_url'] : undefined,
    expiresAt: expiryOf(members),
  }
}

/** The members to write, in the official client's order; what is undefined is not written, and taken out of the file. */
export function toMembers(credential: QwenCredential): JsonObject {
  return {
    access_token: credential.accessToken,
    refresh_token: credential.refreshToken,
    token_type: credential.tokenType,
    resource_url: credential.resourceUrl,
    expiry_date: credential.expiresAt,
  }
}

/**
 * What the sign-in server grants, as a credential; `previous` keeps what the answer leaves out. Undefined where the answer
 * grants nothing.
 */
export function toCredential(answer: JsonObject, now: number, previous?: QwenCredential): QwenCredential | undefined {
  const { access_token: accessToken, expires_in: expiresIn } = answer
  if (!isText(accessToken)) return undefined
  const resource = [answer['resource_url'], answer['endpoint']].find(isText)
  return {
    accessToken,
    refreshToken: isText(answer['refresh_token']) ? answer['refresh_token'] : previous?.refreshToken,
    tokenType: isText(answer['token_type']) ? answer['token_type'] : 'Bearer',
    resourceUrl: resource ?? previous?.resourceUrl,
    expiresAt: typeof expiresIn === 'number' && expiresIn > 0 ? now + expiresIn * 1000 : undefined,
  }
}

/** `expiry_date` of the official client, or `expired`, a date, of another that many came from. */
function expiryOf({ expiry_date: milliseconds, expired: date }: JsonObject): number | undefined {
  if (typeof milliseconds === 'number' && Number.isFinite(milliseconds)) return milliseconds
  const parsed = isText(date) ? Date.parse(date) : NaN
  return Number.isNaN(parsed) ? undefined : parsed
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
