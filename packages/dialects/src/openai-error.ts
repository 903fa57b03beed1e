import type { GatewayError } from '@millrace/core'
import type { ErrorAnswer } from './dialect.ts'

/** A failure in the envelope of OpenAI's API. */
export function toOpenAIError(failure: GatewayError): ErrorAnswer {
  return { status: failure.status, body: failure.toBody() }
}
