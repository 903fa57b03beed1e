import { createReplay, type ReplayedReply } from '@millrace/conformance'
import type { Upstream, UpstreamRequest } from '@millrace/core'

export interface Answer extends Omit<ReplayedReply, 'reads'> {
  /** Text, or what becomes JSON. */
  readonly body: unknown
}

export interface ScriptedUpstream extends Upstream {
  readonly asked: readonly UpstreamRequest[]
}

/** An upstream that answers each request as the function says, which also knows how many came before. */
export function createScriptedUpstream(
  answer: (request: UpstreamRequest, before: number) => Answer | Promise<Answer>,
): ScriptedUpstream {
  const asked: UpstreamRequest[] = []
  return {
    asked,
    async request(request) {
      asked.push(request)
      const { body, ...reply } = await answer(request, asked.length - 1)
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      return createReplay({ ...reply, reads: [Buffer.from(text)] }).request(request)
    },
  }
}

/** The answers in turn; the last one again and again. */
export function inTurn(...answers: readonly Answer[]): ScriptedUpstream {
  return createScriptedUpstream((_request, before) => answers[Math.min(before, answers.length - 1)]!)
}

/** The form in a request's body. */
export function formOf({ body }: UpstreamRequest): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body?.toString()))
}
