import { createFlow, run, type Call, type ChatRequest, type Frames, type ProviderDeps } from '@millrace/core'
import { withThinkTags } from '@millrace/sse-core'
import type { AmazonQConfig } from './config.ts'
import { toConversationId } from './conversation-id.ts'
import { isAboutSchemas } from './failures.ts'
import { toModelId } from './models.ts'
import type { OpenAccount, Place } from './open-account.ts'
import { toAnswerRequest } from './operations.ts'
import { EmptyAnswer, readFrames } from './read-frames.ts'
import { toConversation, type Conversation } from './request/index.ts'
import { THINKING_TAG, toThinkingPrompt } from './request/thinking.ts'
import { createSender, type Sender } from './send.ts'

/** One request for an answer, before it is known who serves it. */
export interface Asking {
  readonly call: Call
  readonly settings: AmazonQConfig
  readonly sender: Sender
  /** Whether the request makes the model think. */
  readonly thinks: boolean
  /** What to send from an account, at its place. @throws {GatewayError} what cannot be said to the service */
  conversationFor(account: OpenAccount, place: Place, hasBareSchemas: boolean): Promise<Conversation>
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
    conversationFor({ credentials }, { origin, profileArn }, hasBareSchemas) {
      // Signed requests have no member for the mode, as those whose operation is named by their path.
      const flavour = credentials.operation === 'SendMessage' ? 'rest' : settings.flavour
      const options = { ...common, flavour, origin, profileArn, hasBareSchemas }
      const key = [flavour, origin, profileArn, hasBareSchemas].join(' ')
      const conversation = conversations.get(key) ?? toConversation(request, options)
      conversations.set(key, conversation)
      return conversation
    },
  }
}

/**
 * The answer that an account gives. Before anything was given a request is repeated once: where the answer says nothing,
 * whatever it then says, and where the schemas of tools may be at fault, with less in them.
 */
export function askAccount(account: OpenAccount, { call, settings, sender, thinks, conversationFor }: Asking): Frames {
  return createFlow(async sink => {
    const { credentials } = account
    const place = await account.place(call.signal)

    async function ask({ body, toolNames }: Conversation, mayBeEmpty: boolean): Promise<void> {
      const request = toAnswerRequest(credentials.operation, settings.flavour, place.endpoint, body)
      const { reply, toError } = await sender.send(credentials, request)
      const model = toModelId(call.model) ?? ''
      const frames = readFrames(reply, { head: call.head, model, toolNames, toError, mayBeEmpty })
      await run(thinks ? withThinkTags(frames, call.head, THINKING_TAG) : frames, sink)
    }

    const conversation = await conversationFor(account, place, false)
    try {
      await ask(conversation, false)
    } catch (error) {
      if (error instanceof EmptyAnswer) return ask(conversation, true)
      if (!isAboutSchemas(error)) throw error
      const bare = await conversationFor(account, place, true)
      if (bare.body.equals(conversation.body)) throw error
      await ask(bare, true)
    }
  })
}
