import { createFlow, run, type Frames, type Usage } from '@millrace/core'
import type { Target } from './router.ts'

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

/** The outcome of a call of which nothing has come yet. */
export function createOutcome(dialect: string, model: string, target: Target, stream: boolean): Outcome {
  return {
    dialect,
    model,
    provider: target.route.name,
    upstreamModel: target.model,
    stream,
    account: undefined,
    firstFrameMs: undefined,
    frames: 0,
    usage: undefined,
    estimated: false,
  }
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
