import { createFlow, run, type ChatChunk, type ChunkHead, type Frame, type Frames, type Usage } from '@millrace/core'
import { toUsageChunk } from './encode.ts'
import { createGate } from './gate.ts'
import { TextFrame } from './template.ts'

/** About as much text makes one token, bytes of UTF-8. */
const BYTES_PER_TOKEN = 4

export interface UsageOptions {
  readonly head: ChunkHead
  /** The size of what the model was given to read, bytes. */
  readonly promptBytes: number
  /**
   * Told once about each answer that was begun: at its good end before the usage chunk goes out, or when it failed or
   * was left. `estimated` where the upstream did not say: then a token is taken to have four bytes, of the prompt and of
   * the text delivered so far; where nothing was delivered both are 0.
   */
  readonly onUsage: (usage: Usage, estimated: boolean) => void
}

/**
 * Takes out what the upstream says about its usage, and at a good end adds one usage chunk where the client asked for
 * it, with an estimate if need be.
 */
export function withUsage(frames: Frames, { head, promptBytes, onUsage }: UsageOptions): Frames {
  return createFlow(async sink => {
    let told: Usage | undefined
    let begun = false
    let textBytes = 0
    const gate = createGate(sink)

    function report(): Usage {
      const usage = told ?? (begun ? estimateOf(promptBytes, textBytes) : estimateOf(0, 0))
      onUsage(usage, told === undefined)
      return usage
    }

    try {
      await run(frames, batch => {
        let passed = batch
        for (const frame of batch) {
          if (frame instanceof TextFrame) textBytes += frame.textBytes
          else if (isUsage(frame)) {
            told = frame.chunk.usage ?? undefined
            passed = batch.filter(other => !isUsage(other))
          } else textBytes += textBytesOf(frame.chunk)
        }
        if (passed.length === 0) return undefined
        begun = true
        return gate.pass(passed)
      })
    } catch (error) {
      report()
      throw error
    }
    const usage = report()
    if (head.includeUsage && !gate.isClosed()) await sink([{ chunk: toUsageChunk(head, usage) }])
  })
}

function isUsage(frame: Frame): boolean {
  return frame.bytes === undefined && frame.chunk.choices.length === 0 && frame.chunk.usage != null
}

function textBytesOf(chunk: ChatChunk): number {
  let bytes = 0
  const add = (text: string | null | undefined): void => {
    if (text) bytes += Buffer.byteLength(text)
  }
  for (const { delta } of chunk.choices) {
    add(delta.content)
    add(delta.reasoning_content)
    add(delta.refusal)
    for (const call of [delta.function_call, ...(delta.tool_calls ?? []).map(tool => tool.function)]) {
      add(call?.name)
      add(call?.arguments)
    }
  }
  return bytes
}

function estimateOf(promptBytes: number, textBytes: number): Usage {
  const prompt_tokens = Math.ceil(promptBytes / BYTES_PER_TOKEN)
  const completion_tokens = Math.ceil(textBytes / BYTES_PER_TOKEN)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}
