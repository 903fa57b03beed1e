import { z } from 'zod'

/** More is what no upstream takes in one request. */
const MAX_INPUTS = 2048

const text = z.string().min(1)
const tokens = z.array(z.int().min(0)).min(1)

/** A request for embeddings: the members that are looked at are checked, all others are left for the upstream to judge. */
export const EmbeddingsRequest = z.looseObject({
  model: z.string().min(1).max(512),
  input: z.union([text, tokens, z.array(text).min(1).max(MAX_INPUTS), z.array(tokens).min(1).max(MAX_INPUTS)]),
  /** How the client wants to get them; providers give numbers. */
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
})
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>

export interface EmbeddingsResult {
  /** One for each input, in the order of the inputs. */
  readonly embeddings: readonly (readonly number[])[]
  /** Undefined where the upstream told none. */
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number } | undefined
}
