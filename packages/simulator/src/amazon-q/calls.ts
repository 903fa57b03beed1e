/** One request to an operation, as far as retries can be seen in it. */
export interface Call {
  readonly operation: string
  readonly flavour: string
  /** The bearer, or the id of the access key; empty where there is none. */
  readonly credential: string
  /** The headers `amz-sdk-invocation-id` and `amz-sdk-request`. */
  readonly invocationId: string | null
  readonly attempt: string | null
  /** Null until there is an answer. */
  status: number | null
}

/** The last requests to operations, in order. */
export interface Calls {
  all(): readonly Readonly<Call>[]
  note(call: Call): void
  reset(): void
}

const MAX_KEPT = 1000

export function createCalls(): Calls {
  let calls: Call[] = []
  return {
    all: () => calls,
    note(call) {
      if (calls.push(call) > MAX_KEPT) calls.shift()
    },
    reset() {
      calls = []
    },
  }
}
