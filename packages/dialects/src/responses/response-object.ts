import type { ChunkHead } from '@millrace/core'
import type { ResponseError } from './errors.ts'
import { toRawMembers } from './raw.ts'
import type { ResponsesRequest } from './request.ts'

/** What a response says only when it has got so far. */
export interface Progress {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  /** The items that are done, in raw JSON. */
  readonly output: readonly string[]
  /** Unix time, seconds. */
  readonly completedAt?: number
  readonly incompleteReason?: string | undefined
  readonly error?: ResponseError
  readonly usage?: object | undefined
}

/** The response object at any time of one answer, in raw JSON: all members that clients read are there. */
export function createResponseObject(request: ResponsesRequest, head: ChunkHead): (progress: Progress) => string {
  const identity = toRawMembers({ id: head.id, object: 'response', created_at: head.created, model: head.model })
  const echo = toRawMembers(echoOf(request))
  return ({ status, output, completedAt, incompleteReason, error, usage }) => {
    const progress = toRawMembers({
      status,
      completed_at: completedAt ?? null,
      error: error ?? null,
      incomplete_details: incompleteReason === undefined ? null : { reason: incompleteReason },
      usage: usage ?? null,
    })
    return `{${identity},${progress},"output":[${output.join(',')}],${echo}}`
  }
}

function echoOf(request: ResponsesRequest): object {
  const { reasoning, text } = request
  return {
    background: false,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.summary ?? null },
    service_tier: 'default',
    store: false,
    temperature: request.temperature ?? null,
    text: { format: text?.format ?? { type: 'text' }, ...(text?.verbosity != null && { verbosity: text.verbosity }) },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? null,
    truncation: 'disabled',
    user: request.user ?? null,
  }
}
