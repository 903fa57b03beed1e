import type { ChatCompletion } from '@millrace/core'
import { toTextLogprobs } from './text-logprobs.ts'
import { toTextReason } from './text-reason.ts'

/** A chat completion → the completion that says the same. `echoOf`: what stands before the answer in a choice. */
export function toTextCompletion(
  { id, created, model, choices, usage, system_fingerprint }: ChatCompletion,
  echoOf: (index: number) => string,
): object {
  return {
    id,
    object: 'text_completion',
    created,
    model,
    choices: choices.map(({ index, message, logprobs, finish_reason }) => ({
      text: echoOf(index) + (message.content ?? '') + (message.refusal ?? ''),
      index,
      logprobs: toTextLogprobs(logprobs),
      finish_reason: toTextReason(finish_reason),
    })),
    usage,
    system_fingerprint,
  }
}
