import { z } from 'zod'
import { ContractUsage } from './stream-contract.ts'
import type { ExpectedChunk } from './fixtures.ts'

interface Call {
  id: string
  readonly name: string
  arguments: string
  /** `extra_content`, which goes back to the upstream with the call. */
  readonly extra: unknown
}

/** What one choice says, all in all. */
export interface Answer {
  content: string
  reasoning: string
  refusal: string
  readonly calls: Call[]
  finish: string | null
}

interface LooseDelta {
  readonly content?: string | null
  readonly reasoning_content?: string
  readonly refusal?: string
  readonly tool_calls?: readonly {
    readonly index: number
    readonly id?: string
    readonly function: { readonly name?: string; readonly arguments?: string }
    readonly extra_content?: unknown
  }[]
}

/** What chunks say, all in all: one answer for each choice, at its index. */
export function toAnswers(chunks: readonly ExpectedChunk[]): Answer[] {
  const answers: Answer[] = []
  for (const { choices } of chunks) {
    for (const { index, delta, finish_reason } of choices) {
      const answer = (answers[index] ??= { content: '', reasoning: '', refusal: '', calls: [], finish: null })
      const { content, reasoning_content, refusal, tool_calls } = delta as LooseDelta
      answer.content += content ?? ''
      answer.reasoning += reasoning_content ?? ''
      answer.refusal += refusal ?? ''
      answer.finish ??= finish_reason
      for (const { index: at, id = '', function: called, extra_content: extra } of tool_calls ?? []) {
        const call = (answer.calls[at] ??= { id, name: called.name ?? '', arguments: '', extra })
        call.arguments += called.arguments ?? ''
      }
    }
  }
  return answers
}

const call = z
  .strictObject({
    id: z.string().min(1),
    type: z.literal('function'),
    function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
    extra_content: z.unknown().optional(),
  })
  .transform(({ id, function: called, extra_content: extra }): Call => ({ id, ...called, extra }))

/** A completion as clients may get it, members that they read without asking all there → what it says. */
export const ContractCompletion = z.looseObject({
  id: z.string().min(1),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string().min(1),
  usage: ContractUsage.nullable(),
  choices: z
    .array(
      z
        .strictObject({
          index: z.int(),
          logprobs: z.looseObject({}).nullable(),
          finish_reason: z.string(),
          message: z.looseObject({
            role: z.literal('assistant'),
            content: z.string().nullable(),
            refusal: z.string().nullable(),
            reasoning_content: z.string().optional(),
            tool_calls: z.array(call).min(1).nullish(),
          }),
        })
        .transform(({ message, finish_reason }): Answer => ({
          content: message.content ?? '',
          reasoning: message.reasoning_content ?? '',
          refusal: message.refusal ?? '',
          calls: message.tool_calls ?? [],
          finish: finish_reason,
        })),
    )
    .min(1),
})
