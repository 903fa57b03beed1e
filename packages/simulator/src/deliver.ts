import type { ServerResponse } from 'node:http'
import type { Plan } from './plan.ts'

/** How an answer came to its end: as planned, or because the client left. */
export type Outcome = 'ended' | 'aborted'

/** Told about an answer on its way. */
export interface Watch {
  wrote(bytes: number): void
  /** Once, when nothing more will happen. */
  closed(outcome: Outcome): void
}

/** Carries out a plan. Every wait in it ends when the client leaves. */
export function deliver(plan: Plan, response: ServerResponse, watch: Watch): void {
  const { socket } = response.req
  // HTTP chunks go to the socket as one write each; through the response each would be four.
  const channel = plan.framed ? socket : response
  const writes = plan.writes[Symbol.iterator]()
  let timer: NodeJS.Timeout | undefined
  let immediate: NodeJS.Immediate | undefined
  let ending = false

  function head(): void {
    if (plan.headless) {
      end()
      return
    }
    response.writeHead(plan.status, plan.headers)
    if (plan.firstEventMs > 0) {
      response.flushHeaders()
      timer = setTimeout(begin, plan.firstEventMs)
    } else begin()
  }

  function begin(): void {
    if (plan.framed) response.flushHeaders()
    timer = plan.paceMs > 0 ? setTimeout(proceed, plan.paceMs) : undefined
    proceed()
  }

  function proceed(): void {
    while (!socket.destroyed) {
      if (channel.writableNeedDrain) {
        channel.once('drain', proceed)
        return
      }
      const next = writes.next()
      if (next.done === true) {
        end()
        return
      }
      channel.write(next.value)
      watch.wrote(next.value.length)
      if (timer !== undefined) {
        timer.refresh()
        return
      }
      if (plan.apart) {
        immediate = setImmediate(proceed)
        return
      }
    }
  }

  function end(): void {
    clearTimeout(timer)
    if (!plan.headless && plan.ending !== 'end') response.flushHeaders() // they are out even where no body is
    if (plan.ending === 'open') return
    ending = true
    if (plan.ending === 'end') response.end()
    else if (plan.ending === 'drop') socket.destroySoon()
    // What the response still holds back is written in this turn; then all of it must be out before the reset.
    else immediate = setImmediate(() => socket.write('', () => socket.resetAndDestroy()))
  }

  response.once('close', () => {
    clearTimeout(timer)
    clearImmediate(immediate)
    channel.off('drain', proceed)
    writes.return?.()
    watch.closed(ending && (plan.ending !== 'end' || response.writableFinished) ? 'ended' : 'aborted')
  })
  if (plan.firstMs > 0) timer = setTimeout(head, plan.firstMs)
  else head()
}
