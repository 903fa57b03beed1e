import { collect } from '@millrace/sse-core'
import type { Dialect } from '../dialect.ts'
import { toOpenAIError } from '../openai-error.ts'
import { createCompletionsEncoder } from './encoder.ts'
import { readCompletionsRequest } from './read-request.ts'
import { toTextCompletion } from './text-completion.ts'

/** `POST /v1/completions`: the older way of asking, over chat, where each prompt is what a user says. */
export const completions: Dialect = {
  name: 'completions',
  idPrefix: 'cmpl-',
  read(body) {
    const { prompts, echo, chats } = readCompletionsRequest(body)
    const [chat, ...further] = chats
    const choices = chat.n ?? 1
    const echoOf = (index: number): string => (echo ? prompts[Math.floor(index / choices)]! : '')
    return {
      chat,
      further,
      isVerbatim: false,
      includeUsage: chat.stream_options?.include_usage === true,
      createEncoder: head => createCompletionsEncoder(head, echoOf),
      collect: async (frames, head) => toTextCompletion(await collect(frames, head), echoOf),
    }
  },
  toError: toOpenAIError,
}
