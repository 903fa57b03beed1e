import { createFlow, run, type Call, type ChatRequest, type Frames, type ProviderDeps } from '@millrace/core'
import type { AmazonQConfig } from './config.ts'
import { toConversationId } from './conversation-id.ts'
import { toModelId } from './models.ts'
import type { OpenAccount, Place } from './open-account.ts'
import { toAnswerRequest } from './operations.ts'
import { EmptyAnswer, readFrames } from './read-frames.ts'
import { toConversation } from './request/index.ts'
import { toThinkingPrompt } from './request/thinking.ts'
import { createSender, type Sender } from './send.ts'

type Conversation = Awaited<ReturnType<typeof toConversation>>

/** One request for an answer, before it is known who serves it. */
export interface Asking {
  readonly call: Call
  readonly settings: AmazonQConfig
  readonly sender: Sender
  /** Whether the request makes the model think. */
  readonly thinks: boolean
  /** What to send from an account, at its place. @throws {GatewayError} what cannot be said to the service */
  conversationFor(account: OpenAccount, place: Place): Promise<Conversation>
}

export function createAsking(
  request: ChatRequest,
  call: Call,
  { settings, deps }: { readonly settings: AmazonQConfig; readonly deps: ProviderDeps },
): Asking {
  const { requestId, signal } = call
  const conversations = new Map<string, Promise<Conversation>>()
  const common = {
    conversationId: toConversationId(call.session ?? requestId),
    modelId: toModelId(call.model),
    signal,
  }
  return {
    call,
    settings,
    sender: createSender({ settings, deps, requestId, signal }),
    thinks: toThinkingPrompt(request) !== undefined,
    conversationFor({ credentials }, { origin, profileArn }) {
      // Signed requests have no member for the mode, as those whose operation is named by their path.
      const flavour = credentials.operation === 'SendMessage' ? 'rest' : settings.flavour
      const key = `${flavour} ${origin} ${profileArn ?? ''}`
      const conversation = conversations.get(key) ?? toConversation(request, { ...common, flavour, origin, profileArn })
      conversations.set(key, conversation)
      return conversation
    },
  }
}

/** The answer that an account gives. One that says nothing is asked for again, and is taken for the answer the second time. */
export function askAccount(account: OpenAccount, { call, settings, sender, thinks, conversationFor }: Asking): Frames {
  return createFlow(async sink => {
    const place = await account.place(call.signal)
    const { body, toolNames } = await conversationFor(account, place)
    const request = toAnswerRequest(account.credentials.operation, settings.flavour, place.endpoint, body)
    const expected = { head: call.head, model: toModelId(call.model) ?? '', toolNames, thinks }

    async function ask(mayBeEmpty: boolean): Promise<void> {
      const { reply, toError } = await sender.send(account, request)
      await run(readFrames(reply, { ...expected, toError, mayBeEmpty }), sink)
    }

    try {
      await ask(false)
    } catch (error) {
      if (!(error instanceof EmptyAnswer)) throw error
      await ask(true)
    }
  })
}
