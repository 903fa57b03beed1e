/** Those who wait for something to become true of a subject that changes. */
export interface Waiting<Subject> {
  /** Asks all predicates again. */
  changed(): void
  /** Resolves as soon as the predicate holds; rejects when that cannot happen any more. */
  when(predicate: (subject: Subject) => boolean): Promise<void>
  /** Nothing more will happen: what is still waited for is rejected. */
  close(): void
}

interface Waiter<Subject> {
  readonly predicate: (subject: Subject) => boolean
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

export function createWaiting<Subject>(subject: Subject): Waiting<Subject> {
  const waiters = new Set<Waiter<Subject>>()
  return {
    changed() {
      for (const waiter of waiters) {
        if (!waiter.predicate(subject)) continue
        waiters.delete(waiter)
        waiter.resolve()
      }
    },
    when(predicate) {
      if (predicate(subject)) return Promise.resolve()
      return new Promise((resolve, reject) => waiters.add({ predicate, resolve, reject }))
    },
    close() {
      for (const { reject } of waiters) reject(new Error('The simulator was closed before that happened.'))
      waiters.clear()
    },
  }
}
