/** How often a key or a token was sent, and what came back. */
export interface Sent {
  requests: number
  /** Status → how often. */
  readonly statuses: Record<string, number>
}

export interface SentCredentials {
  /** Credential → what became of it. */
  readonly all: ReadonlyMap<string, Sent>
  /** Counts one request that came with the credential. */
  note(credential: string): Sent
  reset(): void
}

const MAX_KEPT = 10_000

/** Forgets everything where it gets too much to remember. */
export function createSentCredentials(): SentCredentials {
  const all = new Map<string, Sent>()
  return {
    all,
    note(credential) {
      let known = all.get(credential)
      if (known === undefined) {
        if (all.size === MAX_KEPT) all.clear()
        known = { requests: 0, statuses: {} }
        all.set(credential, known)
      }
      known.requests++
      return known
    },
    reset: () => all.clear(),
  }
}
