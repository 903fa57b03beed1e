/** One token as chat tells it. */
interface Token {
  readonly token: string
  readonly logprob: number
  readonly top_logprobs?: readonly { readonly token: string; readonly logprob: number }[]
}

/** Logprobs as completions tell them: lists side by side. */
export interface TextLogprobs {
  readonly tokens: readonly string[]
  readonly token_logprobs: readonly number[]
  readonly top_logprobs: readonly Readonly<Record<string, number>>[]
  /** Where each token begins in the text that these tokens make, UTF-16 units. */
  readonly text_offset: readonly number[]
}

/** Chat's logprobs of one choice → those of completions; null where there are none. */
export function toTextLogprobs(logprobs: unknown): TextLogprobs | null {
  const tokens = (logprobs as { content?: readonly Token[] | null } | null | undefined)?.content
  if (tokens == null) return null
  let offset = 0
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: top = [] }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: tokens.map(({ token }) => {
      const at = offset
      offset += token.length
      return at
    }),
  }
}
