import { ChatRequest, GatewayError } from '@millrace/core'
import { z } from 'zod'
import type { Members } from '../dialect.ts'
import { readBody } from '../read-body.ts'

/** More would keep a connection busy for longer than clients wait, as prompts are answered one after another. */
const MAX_PROMPTS = 128
/** What OpenAI's API does where nothing is said. */
const DEFAULT_MAX_TOKENS = 16

const text = z.string()
const tokens = z.array(z.int())

const CompletionsRequest = ChatRequest.omit({ messages: true, logprobs: true, tools: true, functions: true }).extend({
  prompt: z.union([text, z.array(text).min(1).max(MAX_PROMPTS), tokens.min(1), z.array(tokens).min(1)]),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(0).max(20).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
})

/** A request for completions, as chat. */
export interface CompletionsRequest {
  /** One or more. */
  readonly prompts: readonly string[]
  /** Whether the prompt stands before its answer. */
  readonly echo: boolean
  /** What is asked of the model for each prompt. */
  readonly chats: readonly [ChatRequest, ...ChatRequest[]]
}

/** @throws {GatewayError} as {@link readBody}; `unsupported_parameter` for what chat has nothing for, with `param` */
export function readCompletionsRequest(body: Members): CompletionsRequest {
  const { prompt, suffix, echo, best_of: bestOf, logprobs, ...rest } = readBody(CompletionsRequest, body)
  if (suffix) throw unsupported('suffix', 'Text is completed at its end only: say in the prompt what has to follow.')
  if (bestOf != null && bestOf > (rest.n ?? 1)) {
    throw unsupported('best_of', 'Answers are not compared with each other: ask for `n` of them and choose.')
  }
  const prompts = [prompt].flat()
  if (!prompts.every(item => typeof item === 'string')) {
    throw unsupported('prompt', 'Token ids can only be read with the tokenizer that made them: send text.')
  }
  const members = {
    ...rest,
    ...(logprobs != null && { logprobs: true, top_logprobs: logprobs }),
    ...(rest.max_tokens == null && rest.max_completion_tokens == null && { max_tokens: DEFAULT_MAX_TOKENS }),
  }
  const chats = prompts.map((content): ChatRequest => ({ ...members, messages: [{ role: 'user', content }] }))
  return { prompts, echo: echo === true, chats: chats as [ChatRequest, ...ChatRequest[]] }
}

function unsupported(param: string, message: string): GatewayError {
  return new GatewayError('unsupported_parameter', message, { param })
}
