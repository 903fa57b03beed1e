/** What whoever runs the gateway sees of one account. */
export interface AccountView {
  readonly name: string
  readonly state: {
    /** `ok`, `rate-limited`, `quota-exhausted`, `auth-expired`, `suspended` or `disabled`. */
    readonly state: string
    /** When it came into this state, Unix time in milliseconds. */
    readonly since: number
    /** Why, in words fit to be shown; empty where all is well. */
    readonly reason: string
    /** When it may be tried again, Unix time in milliseconds; without it not before somebody mends it. */
    readonly until?: number
  }
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
