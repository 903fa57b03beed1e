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
  /** Counts the tokens of an answer that ended well, from its texts, and of what was asked, where the upstream tells neither. */
  readonly count?: ((texts: readonly string[]) => Promise<Usage>) | undefined
  /**
   * Told once about each answer that was begun: at its good end before the usage chunk goes out, or when it failed or
   * was left. `estimated` where the upstream did not say. Without `count`, and for what did not end well, a token is then
   * taken to have four bytes, of the prompt and of the text delivered so far; where nothing was delivered both are 0.
   */
  readonly onUsage: (usage: Usage, estimated: boolean) => void
}

/**
 * Takes out what the upstream says about its usage, and at a good end adds one usage chunk where the client asked for
 * it, with an estimate if need be.
 */
export function withUsage(frames: Frames, { head, promptBytes, count, onUsage }: UsageOptions): Frames {
  return createFlow(async sink => {
    let told: Frame | undefined
    let begun = false
    let textBytes = 0
    const texts: string[] = []
    const gate = createGate(sink)

    function report(counted = begun ? estimateOf(promptBytes, textBytes) : estimateOf(0, 0)): Usage {
      const usage = told?.chunk.usage ?? counted
      onUsage(usage, told === undefined || told.isEstimate === true)
      return usage
    }

    try {
      await run(frames, batch => {
        let passed = batch
        for (const frame of batch) {
          if (frame instanceof TextFrame) {
            textBytes += frame.textBytes
            if (count !== undefined) texts.push(frame.text)
          } else if (isUsage(frame)) {
            told = frame
            passed = batch.filter(other => !isUsage(other))
          } else {
            for (const text of textsOf(frame.chunk)) {
              textBytes += Buffer.byteLength(text)
              if (count !== undefined) texts.push(text)
            }
          }
        }
        if (passed.length === 0) return undefined
        begun = true
        return gate.pass(passed)
      })
    } catch (error) {
      report()
      throw error
    }
    const usage = report(told === undefined ? await count?.(texts) : undefined)
    if (head.includeUsage && !gate.isClosed()) await sink([{ chunk: toUsageChunk(head, usage) }])
  })
}

function isUsage(frame: Frame): boolean {
  return frame.bytes === undefined && frame.chunk.choices.length === 0 && frame.chunk.usage != null
}

/** All that a chunk adds to an answer. */
function textsOf(chunk: ChatChunk): string[] {
  return chunk.choices
    .flatMap(({ delta }) => [
      delta.content,
      delta.reasoning_content,
      delta.refusal,
      ...[delta.function_call, ...(delta.tool_calls ?? []).map(tool => tool.function)].flatMap(call => [
        call?.name,
        call?.arguments,
      ]),
    ])
    .filter((text): text is string => typeof text === 'string' && text !== '')
}

function estimateOf(promptBytes: number, textBytes: number): Usage {
  const prompt_tokens = Math.ceil(promptBytes / BYTES_PER_TOKEN)
  const completion_tokens = Math.ceil(textBytes / BYTES_PER_TOKEN)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}
