import type { Sink } from '@millrace/core'

export interface Gate<T> {
  /** The sink behind the gate. */
  readonly pass: Sink<T>
  /** The sink has said that it has enough: it wants nothing more, not even what is due at the end. */
  isClosed(): boolean
}

/** For a flow that has something to say behind its source's end: tells that end from the sink's leaving. */
export function createGate<T>(sink: Sink<T>): Gate<T> {
  let closed = false

  function note(wanted: boolean | void): boolean | void {
    closed ||= wanted === false
    return wanted
  }

  return {
    isClosed: () => closed,
    pass(item) {
      const wanted = sink(item)
      return typeof wanted === 'object' ? wanted.then(note) : note(wanted)
    },
  }
}
