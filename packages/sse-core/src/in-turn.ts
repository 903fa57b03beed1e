import { createFlow, run, type ChunkHead, type Frame, type Frames, type Usage } from '@millrace/core'
import { toUsageChunk } from './encode.ts'
import { createGate } from './gate.ts'

/**
 * Several answers as one, one after another: the choices of each get the indexes after those of the one before, and where
 * all tell their usage the sum of it comes last. An answer that fails ends all.
 *
 * @param choices how many choices each answer has
 */
export function inTurn(answers: readonly Frames[], choices: number, head: ChunkHead): Frames {
  return createFlow(async sink => {
    const gate = createGate(sink)
    const usages: Usage[] = []
    for (const [turn, answer] of answers.entries()) {
      await run(answer, batch => {
        const frames: Frame[] = []
        for (const frame of batch) {
          const { chunk } = frame
          if (chunk.choices.length === 0 && chunk.usage != null) usages.push(chunk.usage)
          else if (turn === 0) frames.push(frame)
          else {
            const moved = chunk.choices.map(choice => ({ ...choice, index: choice.index + turn * choices }))
            frames.push({ chunk: { ...chunk, choices: moved } })
          }
        }
        return frames.length === 0 ? undefined : gate.pass(frames)
      })
      if (gate.isClosed()) return
    }
    if (usages.length === answers.length) await sink([{ chunk: toUsageChunk(head, usages.reduce(add)) }])
  })
}

function add(one: Usage, other: Usage): Usage {
  return {
    prompt_tokens: one.prompt_tokens + other.prompt_tokens,
    completion_tokens: one.completion_tokens + other.completion_tokens,
    total_tokens: one.total_tokens + other.total_tokens,
  }
}
