import type { IssuedToken } from './tokens.ts'
import type { ServiceWorld } from './world.ts'

/** The grant with which devices ask for their tokens. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** How a sign-in service behaves. */
export interface SignInSettings {
  /** The codes of the next device; made up where null. */
  deviceCode: string | null
  userCode: string | null
  /** Whose tokens the next sign-ins get; another account each time where null. */
  account: string | null
  /** Seconds between polls, as the service says it; nothing is said where null. */
  interval: number | null
  /** Seconds that device codes live. */
  deviceExpiresIn: number
  /** Seconds that access tokens live. */
  expiresIn: number
  /** Where people go to sign in: the simulator itself where null. */
  verificationUri: string | null
  /** Members that are left out of answers. */
  loginOmits: readonly string[]
  refreshOmits: readonly string[]
  /** How long a refresh takes. */
  refreshDelayMs: number
}

export const SIGN_IN_DEFAULTS: Readonly<SignInSettings> = {
  deviceCode: null,
  userCode: null,
  account: null,
  interval: null,
  deviceExpiresIn: 900,
  expiresIn: 3600,
  verificationUri: null,
  loginOmits: [],
  refreshOmits: [],
  refreshDelayMs: 0,
}

/** A token for whoever signs in now: the settings' account, or else this one. */
export function signIn({ signIn, tokens }: ServiceWorld, usualAccount: string): IssuedToken {
  return tokens.issue({ account: signIn.account ?? usualAccount, expiresInMs: signIn.expiresIn * 1000 })
}

/**
 * The token in place of the one that came with this refresh token, if that is good; `member` is what the service calls
 * the refresh token, which stays where answers leave it out. For refreshes that are really answered, and no others.
 */
export function renew(
  { signIn, tokens, refreshes }: ServiceWorld,
  refreshToken: string,
  member: string,
): IssuedToken | undefined {
  const token = tokens.refreshable(refreshToken)
  if (token === undefined) return undefined
  refreshes.counts.done++
  return tokens.replace(token, signIn.expiresIn * 1000, signIn.refreshOmits.includes(member))
}
