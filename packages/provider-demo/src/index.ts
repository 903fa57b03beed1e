import { setTimeout as sleep } from 'node:timers/promises'
import { defineProvider, GatewayError, type ChatRequest } from '@millrace/core'
import { createFramer } from '@millrace/sse-core'
import { z } from 'zod'

/** Words a second at which a person reads comfortably, give or take. */
const READING_PACE_MS = 60
/** Words that travel together where there are no pauses. */
const BATCH = 32

const MODELS = [
  { id: 'echo', pauseMs: READING_PACE_MS },
  { id: 'fast', pauseMs: 0 },
] as const

/** A model that needs no account: it says the last user message back, word by word. */
export const demo = defineProvider({
  kind: 'demo',
  config: z.strictObject({ kind: z.literal('demo') }),
  open: () => ({
    async *chat(request, { model, head, signal }) {
      const chosen = MODELS.find(({ id }) => id === model)
      if (chosen === undefined)
        throw new GatewayError('model_not_found', `The demo has the models demo/echo and demo/fast, not "${model}".`, {
          param: 'model',
        })
      const words = lastUserText(request).match(/\s*\S+|\s+$/g) ?? []
      const framer = createFramer(head)
      if (chosen.pauseMs === 0) {
        for (let at = 0; at < words.length; at += BATCH)
          yield words.slice(at, at + BATCH).flatMap(word => framer.delta({ content: word }))
      } else {
        for (const [at, word] of words.entries()) {
          if (at > 0) await sleep(chosen.pauseMs, undefined, { signal }).catch(() => Promise.reject(signal.reason))
          yield framer.delta({ content: word })
        }
      }
      const [prompt, completion] = [wordsIn(request), words.length]
      yield framer.end('stop', {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
      })
    },
    models: async () => MODELS.map(({ id }) => ({ id, owned_by: 'millrace' })),
    lacks: { stop: true },
  }),
})

type Message = ChatRequest['messages'][number]

function lastUserText(request: ChatRequest): string {
  const message = request.messages.findLast(({ role }) => role === 'user')
  return message === undefined ? '' : textOf(message)
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content
  return (content ?? []).map(part => (typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

/** The demo's token is the word. */
function wordsIn({ messages }: ChatRequest): number {
  return messages.reduce((sum, message) => sum + (textOf(message).match(/\S+/g)?.length ?? 0), 0)
}
