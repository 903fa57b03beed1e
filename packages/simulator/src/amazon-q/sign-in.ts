import type { DeviceSettings } from '../devices.ts'

/** How the sign-in service behaves. */
export interface SignInSettings extends DeviceSettings {
  /** Whose tokens the next sign-ins get; another account each time where null. */
  account: string | null
  /** Seconds between polls, as the service says it; it says nothing where null. */
  interval: number | null
  /** Seconds that access tokens live, and registrations. */
  expiresIn: number
  clientExpiresIn: number
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
  interval: 5,
  deviceExpiresIn: 600,
  expiresIn: 3600,
  clientExpiresIn: 90 * 86_400,
  verificationUri: null,
  loginOmits: [],
  refreshOmits: [],
  refreshDelayMs: 0,
}
