import { createFlow, run, type Frames } from '@millrace/core'

/**
 * The frames of one attempt, or, where it fails before it gave any, those of another that `again` makes of the failure;
 * undefined: it makes none, and the failure stands. The second attempt is the last.
 */
export function orAgain(
  frames: Frames,
  again: (error: unknown) => Frames | undefined | Promise<Frames | undefined>,
): Frames {
  return createFlow(async sink => {
    let begun = false
    try {
      await run(frames, batch => {
        begun = true
        return sink(batch)
      })
    } catch (error) {
      const others = begun ? undefined : await again(error)
      if (others === undefined) throw error
      await run(others, sink)
    }
  })
}
