import { countRequestTokens } from '@millrace/tokens'
import type { Members } from '../dialect.ts'
import { readCountRequest } from './read-request.ts'

/** A question how many tokens a request has. */
interface TokenCount {
  readonly model: string
  /** The answer, to be sent as JSON: an estimate, since the models' own vocabularies are not known. */
  count(): Promise<object>
}

/** `POST /v1/messages/count_tokens`. @throws {GatewayError} as a request for a message does */
export function readTokenCount(body: Members): TokenCount {
  const chat = readCountRequest(body)
  return {
    model: chat.model,
    count: async () => ({ input_tokens: await countRequestTokens(chat), estimated: true }),
  }
}
