import type { DeviceSettings } from '../devices.ts'

/** How the sign-in server behaves. */
export interface SignInSettings extends DeviceSettings {
  /** Whose tokens the next sign-ins get; another account each time where null. */
  account: string | null
  /** Seconds between polls, as the server says it; nothing is said where null. */
  interval: number | null
  /** Seconds that access tokens live. */
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
