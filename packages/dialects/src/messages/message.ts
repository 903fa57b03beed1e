import { run, type ChunkHead, type FinishReason, type Frames } from '@millrace/core'
import { createBlocks, inputOf, type Opening } from './blocks.ts'
import { fromRawText, type RawText } from './raw-text.ts'
import { toEstimate, toMessageUsage, type MessageUsage } from './usage.ts'

const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
} as const satisfies Record<FinishReason, string>

type StopReason = (typeof STOP_REASONS)[FinishReason]

/** Why an answer ended, in this dialect's word. */
export function toStopReason(reason: FinishReason = 'stop'): StopReason {
  return STOP_REASONS[reason]
}

/** A message, also one of which nothing is known yet. */
export function toMessage(
  { id, model }: ChunkHead,
  content: readonly object[],
  stop_reason: StopReason | null,
  usage: MessageUsage,
): object {
  return { id, type: 'message', role: 'assistant', model, content, stop_reason, stop_sequence: null, usage }
}

/** The message that the frames are the stream of. @throws what the frames throw; {@link createBlocks}' failures */
export async function collectMessage(frames: Frames, head: ChunkHead, hidesThoughts: boolean): Promise<object> {
  const content: object[] = []
  let opening: Opening
  let pieces: RawText[]
  const blocks = createBlocks(
    {
      open(next) {
        opening = next
        pieces = []
      },
      append: piece => void pieces.push(piece),
      close: () => void content.push(...toBlock(opening, pieces)),
    },
    hidesThoughts,
  )
  await run(frames, batch => {
    for (const frame of batch) blocks.push(frame)
  })
  const usage = blocks.usage()
  return toMessage(head, content, toStopReason(blocks.reason()), usage ? toMessageUsage(usage) : toEstimate(0))
}

/** A block that is whole; of a call that was cut off, none. */
function toBlock(opening: Opening, pieces: readonly RawText[]): readonly object[] {
  if (opening.type === 'text') return [{ type: 'text', text: fromRawText(pieces) }]
  if (opening.type === 'thinking') return [{ type: 'thinking', thinking: fromRawText(pieces), signature: '' }]
  const input = pieces.length === 0 ? {} : inputOf(pieces)
  return input === undefined ? [] : [{ ...opening, input }]
}
