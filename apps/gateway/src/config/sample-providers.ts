import { defineProvider } from '@millrace/core'
import { z } from 'zod'

function open(): never {
  throw new Error('The samples are for reading configurations only.')
}

const openai = defineProvider({
  kind: 'openai',
  config: z.strictObject({
    kind: z.literal('openai'),
    baseUrl: z.url(),
    apiKey: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    stop: z.enum(['upstream', 'gateway']).default('upstream'),
    retries: z.int().min(1).max(9).optional(),
    request: z.strictObject({ set: z.record(z.string(), z.json()).optional() }).default({}),
  }),
  open,
})

const anthropic = defineProvider({
  kind: 'anthropic',
  config: z.strictObject({ kind: z.literal('anthropic'), apiKey: z.string().min(1) }),
  open,
})

const demo = defineProvider({ kind: 'demo', config: z.strictObject({ kind: z.literal('demo') }), open })

/** Definitions for tests, so that these say nothing about the providers we ship. */
export const SAMPLES = [openai, anthropic, demo] as const
