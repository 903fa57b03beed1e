import { createFlow, run, type Frames, type Usage } from '@millrace/core'

/** What the access line tells of one model call; filled in as the call goes on. */
export interface Outcome {
  /** How the client asked: the name of its dialect. */
  readonly dialect: string
  readonly model: string
  readonly provider: string
  readonly upstreamModel: string
  readonly stream: boolean
  /** The account that served, by its name. */
  account: string | undefined
  firstFrameMs: number | undefined
  frames: number
  usage: Usage | undefined
  /** The upstream told no usage: the numbers are counted from the text. */
  estimated: boolean
}

/** The same frames, counted into the outcome as they pass. */
export function withOutcome(frames: Frames, outcome: Outcome, startedAt: number): Frames {
  return createFlow(sink =>
    run(frames, batch => {
      outcome.firstFrameMs ??= performance.now() - startedAt
      outcome.frames += batch.length
      return sink(batch)
    }),
  )
}
