/** How the sign-in server behaves. */
export interface SignInSettings {
  /** The codes of the next device; made up where null. */
  deviceCode: string | null
  userCode: string | null
  /** Whose tokens the next sign-ins get; another account each time where null. */
  account: string | null
  /** Seconds between polls, as the server says it; nothing is said where null. */
  interval: number | null
  /** Seconds that device codes and access tokens live. */
  deviceExpiresIn: number
  expiresIn: number
  /** Where people go to sign in, and where tokens are good: the simulator itself where null. */
  verificationUri: string | null
  resourceUrl: string | null
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
  resourceUrl: null,
  loginOmits: [],
  refreshOmits: [],
  refreshDelayMs: 0,
}

/** The refreshes that came, however they ended. */
export interface RefreshCounts {
  asked: number
  /** Those that gave a token. */
  done: number
  /** On their way now, and at once at most. */
  open: number
  openAtMost: number
}
