interface Facts {
  /** When the account came into this state, Unix time in milliseconds. */
  readonly since: number
  /** Why, in words fit to be shown; empty where all is well. */
  readonly reason: string
}

interface Out extends Facts {
  /** How many failures in a row ended in this state; those of requests that ran side by side count as one. */
  readonly failures: number
  /** When the account may be tried again, Unix time in milliseconds; without it not before somebody mends it. */
  readonly until?: number
}

/** What is known of one account. */
export type AccountState =
  | ({ readonly state: 'ok' } & Facts)
  | ({ readonly state: 'rate-limited'; readonly until: number } & Out)
  | ({ readonly state: 'quota-exhausted'; readonly until: number } & Out)
  | ({ readonly state: 'auth-expired' } & Out)
  | ({ readonly state: 'suspended' } & Out)
  /** Switched off by hand, and on again only by hand. */
  | ({ readonly state: 'disabled' } & Facts)

/** An account has come into another state, or is out until another moment. */
export interface AccountChange {
  readonly account: string
  readonly from: AccountState
  readonly to: AccountState & { readonly until?: number }
}

/** What is kept of an account over restarts. */
export interface KeptAccount {
  readonly state: AccountState
  /** Tells the credential from its successor under the same name. */
  readonly fingerprint?: string | undefined
  /** Unix time, milliseconds. */
  readonly lastUsedAt?: number | undefined
  /** The UTC day, counted from 1970, that `requests` belongs to. */
  readonly day: number
  readonly requests: number
}

export type KeptAccounts = ReadonlyMap<string, KeptAccount>

/** Where what is known of accounts outlives the process. */
export interface AccountStates {
  /**
   * Makes `snapshot` the source of what is kept for a provider. What is returned is what was kept for it up to now. A
   * later source takes the place of an earlier one.
   */
  attach(provider: string, snapshot: () => KeptAccounts): KeptAccounts
  /** Some snapshot would now differ. */
  changed(): void
}

/** What whoever runs the gateway sees of one account. */
export interface AccountView {
  readonly name: string
  readonly state: AccountState & { readonly until?: number }
  /** Unix time, milliseconds. */
  readonly lastUsedAt: number | undefined
  /** Upstream requests since midnight UTC. */
  readonly requestsToday: number
}

/** A provider's credentials, for whoever runs the gateway. */
export interface Accounts {
  /** In the order of the configuration. */
  list(): readonly AccountView[]
  /** Makes an account `ok` by hand; false where there is none of that name. */
  clear(name: string): boolean
  /** Switches an account off until it is cleared; false where there is none of that name. */
  disable(name: string): boolean
  /**
   * Makes one small request with this very account, whatever its state, which follows from the outcome. False where there
   * is none of that name, or it is switched off or being tried.
   * @throws {GatewayError} what the account, or the upstream, does not do
   */
  probe(name: string, signal: AbortSignal): Promise<boolean>
}
