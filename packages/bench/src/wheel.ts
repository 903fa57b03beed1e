/** Does what is due, and says whether it wants another turn. */
export type Turn = () => boolean

/**
 * Gives each of many streams its turn every `paceMs` milliseconds, spread as evenly over that time as whole milliseconds
 * allow: however they began, streams that write at the same moment would be a load of another kind. Turns that are
 * missed for longer than `paceMs` are left out.
 */
export function createWheel(paceMs: number): (turn: Turn) => void {
  const slots = Array.from({ length: paceMs }, () => new Set<Turn>())
  let size = 0
  let next = 0
  let done = 0
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    const now = Math.floor(performance.now())
    for (let at = Math.max(done + 1, now - paceMs + 1); at <= now; at++) serve(slots[at % paceMs]!)
    done = now
    if (size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  function serve(slot: Set<Turn>): void {
    for (const turn of slot) {
      if (turn()) continue
      slot.delete(turn)
      size--
    }
  }

  return turn => {
    slots[next++ % paceMs]!.add(turn)
    size++
    if (timer !== undefined) return
    done = Math.floor(performance.now())
    timer = setInterval(tick, 1)
  }
}
