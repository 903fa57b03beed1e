/**
 * Takes one item. Where it returns a promise, the next item waits for it. False, or a promise of it, says that it was the
 * last one wanted; what it throws ends the flow as a failure.
 */
export type Sink<T> = (item: T) => boolean | void | Promise<boolean | void>

/**
 * An async iterable that can also be run: items are then handed on by plain calls as they come, which spares a promise
 * for each item and stage (docs/decisions/0004-flows.md). Either way it is run once, and nothing happens before.
 */
export interface Flow<T> extends AsyncIterable<T> {
  /** Hands all items to the sink, in order. Resolves at the end; rejects with what ended it early. The source is closed then. */
  run(sink: Sink<T>): Promise<void>
}

/** A flow from the way it runs; iterating over it follows from that. */
export function createFlow<T>(run: (sink: Sink<T>) => Promise<void>): Flow<T> {
  return { run, [Symbol.asyncIterator]: () => pull(run) }
}

/** Hands all items of an async iterable to the sink, by plain calls where the iterable is a {@link Flow}. */
export async function run<T>(items: AsyncIterable<T>, sink: Sink<T>): Promise<void> {
  if (isFlow(items)) return items.run(sink)
  for await (const item of items) {
    const wanted = sink(item)
    if ((typeof wanted === 'object' ? await wanted : wanted) === false) return
  }
}

function isFlow<T>(items: AsyncIterable<T>): items is Flow<T> {
  return 'run' in items && typeof items.run === 'function'
}

/** One item at a time: the sink keeps the flow waiting until the next is asked for. */
async function* pull<T>(run: (sink: Sink<T>) => Promise<void>): AsyncGenerator<T, void> {
  let item: { readonly value: T } | undefined
  let resume: ((wanted: boolean) => void) | undefined
  let ended = false
  let left = false
  let failure: { readonly error: unknown } | undefined
  let wake: (() => void) | undefined

  const finished = run(value => {
    if (left) return false
    item = { value }
    wake?.()
    return new Promise<boolean>(resolve => (resume = resolve))
  }).then(
    () => {
      ended = true
      wake?.()
    },
    (error: unknown) => {
      failure = { error }
      wake?.()
    },
  )
  try {
    for (;;) {
      if (item !== undefined) {
        const { value } = item
        item = undefined
        yield value
        resume?.(true)
        resume = undefined
      } else if (failure !== undefined) throw failure.error
      else if (ended) return
      else await new Promise<void>(resolve => (wake = resolve))
    }
  } finally {
    // Left in the middle: the flow ends with the item that it is waiting with.
    left = true
    resume?.(false)
    if (!ended && failure === undefined) await finished
  }
}
