import { createReplay, type ReplayedReply } from '@millrace/conformance'
import type { Upstream, UpstreamRequest } from '@millrace/core'

export interface Answer extends Omit<ReplayedReply, 'reads'> {
  /** Bytes, text, or what becomes JSON. */
  readonly body: unknown
}

export interface ScriptedUpstream extends Upstream {
  readonly asked: readonly UpstreamRequest[]
}

/** An upstream that answers each request as the function says. */
export function createScriptedUpstream(answer: (request: UpstreamRequest) => Answer): ScriptedUpstream {
  const asked: UpstreamRequest[] = []
  return {
    asked,
    async request(request) {
      asked.push(request)
      const { body, ...reply } = answer(request)
      const bytes = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
      return createReplay({ ...reply, reads: [Buffer.from(bytes)] }).request(request)
    },
  }
}
