/** How often a key or a token was sent, and what came back. */
export interface Sent {
  requests: number
  /** Status → how often. */
  readonly statuses: Record<string, number>
}

export interface SentCredentials {
  /** Credential → what became of it. */
  readonly all: ReadonlyMap<string, Sent>
  /** Counts one request that came with the credential, if with any; the function takes the status of its answer. */
  note(credential: string): (status: number) => void
  reset(): void
}

const MAX_KEPT = 10_000

/** Forgets everything where it gets too much to remember. */
export function createSentCredentials(): SentCredentials {
  const all = new Map<string, Sent>()
  return {
    all,
    note(credential) {
      if (credential === '') return () => {}
      let known = all.get(credential)
      if (known === undefined) {
        if (all.size === MAX_KEPT) all.clear()
        known = { requests: 0, statuses: {} }
        all.set(credential, known)
      }
      known.requests++
      const { statuses } = known
      return status => {
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    },
    reset: () => all.clear(),
  }
}
