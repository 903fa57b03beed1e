interface Token {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
}

/** How likely each token was, as chat tells it → as this dialect does. */
export function toLogprobs(logprobs: unknown): object[] {
  return listIn(logprobs, 'content').map(token =>
    Object.assign(toToken(token), { top_logprobs: listIn(token, 'top_logprobs').map(toToken) }),
  )
}

function toToken(value: unknown): Token {
  const { token, logprob, bytes } = value as Partial<Token>
  return { token: token ?? '', logprob: logprob ?? 0, bytes: bytes ?? [] }
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  return Array.isArray(list) ? list : []
}
