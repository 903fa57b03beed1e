import { createFlow, run, UpstreamError, type Frame, type Frames } from '@millrace/core'
import { createGate } from './gate.ts'
import { TextFrame } from './template.ts'

/** What is done to the frames of one choice. */
export interface ChoiceOperator {
  /** What goes out now that this frame has come: the frame itself where it stays as it is. */
  push(frame: Frame): Frame | readonly Frame[]
  /** What was held back and goes out as nothing more comes. */
  release(): readonly Frame[]
}

/**
 * The frames with each choice's put through an operator of its own. Batches whose frames all stay as they are go through
 * as they are. What is held goes out at the end, and also before a failure of the upstream.
 */
export function perChoice(frames: Frames, createChoice: () => ChoiceOperator): Frames {
  return createFlow(async sink => {
    const gate = createGate(sink)
    const choices: ChoiceOperator[] = []

    function push(frame: Frame): Frame | readonly Frame[] {
      const index = frame instanceof TextFrame ? frame.choice : frame.chunk.choices[0]?.index
      return index === undefined ? frame : (choices[index] ??= createChoice()).push(frame)
    }

    async function release(): Promise<void> {
      const held = gate.isClosed() ? [] : choices.flatMap(choice => choice.release())
      if (held.length > 0) await sink(held)
    }

    try {
      await run(frames, batch => {
        const out = mapBatch(batch, push)
        return out.length > 0 ? gate.pass(out) : undefined
      })
    } catch (error) {
      if (error instanceof UpstreamError) await release()
      throw error
    }
    await release()
  })
}

function mapBatch(batch: readonly Frame[], push: (frame: Frame) => Frame | readonly Frame[]): readonly Frame[] {
  let out: Frame[] | undefined
  for (let at = 0; at < batch.length; at++) {
    const frame = batch[at]!
    const result = push(frame)
    if (result === frame) out?.push(frame)
    else {
      out ??= batch.slice(0, at)
      if (isList(result)) out.push(...result)
      else out.push(result)
    }
  }
  return out ?? batch
}

function isList(result: Frame | readonly Frame[]): result is readonly Frame[] {
  return Array.isArray(result)
}
