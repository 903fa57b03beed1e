import { createFlow, run, type RelayCall } from '@millrace/core'
import { relayMessages } from '@millrace/openai-dialect'
import { toQwenError } from './failures.ts'
import { secretsOf, type OpenAccount } from './open-account.ts'

/** The answer that an account gets at `url`, where Qwen speaks Anthropic's Messages, as it comes. */
export function relayThrough(account: OpenAccount, url: string, call: RelayCall): AsyncIterable<Buffer> {
  return createFlow(async sink => {
    const service = await account.service(call.signal)
    try {
      await run(relayMessages(service, url, call), sink)
    } catch (error) {
      throw toQwenError(error, { advice: account.advice, secrets: secretsOf(service) }, Date.now())
    }
  })
}
