import { createHash } from 'node:crypto'
import { splitModel } from '../options.ts'
import type { Reply } from '../service/route.ts'
import { wantedBy } from '../service/scripts.ts'
import { admitChat, kindOf } from './accounts.ts'
import type { AmazonQAccount } from './accounts.ts'
import { promptOf, stepOf } from './ask.ts'
import type { AmazonQAsk } from './ask.ts'
import { checkConversation, checkSchemas } from './checks.ts'
import { messagesOf, resultsOf, toolsOf } from './conversation.ts'
import type { ChatBody, ConversationState } from './conversation.ts'
import { toErrorAnswer, toWishedError } from './error-answer.ts'
import { EXCEPTIONS, ServiceError } from './exceptions.ts'
import { modelsFor, USUAL_MODEL } from './models.ts'
import type { AmazonQModel } from './models.ts'
import { parseObject } from './route.ts'
import type { Asked } from './route.ts'
import type { Wanted } from './script.ts'
import { findScript } from './scripts.ts'
import { checkShape } from './shape.ts'
import type { World } from './world.ts'

/**
 * Answers a chat.
 * @throws {ServiceError} the account may not, or something is wrong with the request
 * @throws {OptionError} its wish makes no sense
 */
export function answerChat(world: World, asked: Asked, account: AmazonQAccount): Reply {
  const fields = parseObject(asked.body)
  const body = checkShape(fields)
  const state = body.conversationState
  const modelId = state.currentMessage.userInputMessage?.modelId ?? ''
  const wanted = admit(world, asked, account, state, modelId)
  const reply = { options: wanted.options, subject: modelId, isChat: true } as const
  if (wanted.error !== undefined) {
    return { ...reply, answer: toWishedError(wanted.error, wanted.options, asked.flavour) }
  }

  checkProfile(world, account, body)
  const model = modelOf(state, modelId)
  checkConversation(state, world.service, model.maxInputTokens)
  checkSchemas(state, wanted.options.text('refuse', ''))
  if (fields['dryRun'] === true) return { ...reply, answer: toErrorAnswer(EXCEPTIONS['dry-run'], asked.flavour) }

  const ask = toAsk(asked, state, fields, model, wanted)
  const answer = wanted.script.answer(ask)
  if (asked.flavour === 'json') return { ...reply, answer }
  const headers = { 'x-amzn-codewhisperer-conversation-id': ask.conversationId, ...answer.headers }
  return { ...reply, answer: { ...answer, headers } }
}

/** Lets a chat through, and says what it gets. */
function admit(world: World, asked: Asked, account: AmazonQAccount, state: ConversationState, model: string): Wanted {
  const scripted = account.answers.shift()
  if (scripted === undefined) admitChat(world, account)
  else account.quota.count(world.clock.now())
  return wantedBy(world, findScript, scripted, asked, { model, prompt: promptOf(state) })
}

/** @throws {ServiceError} the profile is missing, or none of the account's */
function checkProfile({ service }: World, account: AmazonQAccount, { profileArn }: ChatBody): void {
  if (profileArn === undefined) {
    if (service.requireProfile) throw new ServiceError('profile-required')
  } else if (!kindOf(account).accepted.includes(profileArn)) throw new ServiceError('invalid-body')
}

/** @throws {ServiceError} there is no such model for clients of that origin */
function modelOf({ currentMessage }: ConversationState, modelId: string): AmazonQModel {
  const { name } = splitModel(modelId)
  const models = modelsFor(currentMessage.userInputMessage?.origin)
  const found = name === '' ? USUAL_MODEL : models.find(model => model.id === name)
  if (found === undefined) throw new ServiceError('invalid-model')
  return found
}

function toAsk(
  { flavour }: Asked,
  state: ConversationState,
  fields: Readonly<Record<string, unknown>>,
  model: AmazonQModel,
  { options }: Wanted,
): AmazonQAsk {
  return {
    flavour,
    options,
    model,
    conversationId: state.conversationId ?? toUuid(JSON.stringify(state)),
    state,
    tools: toolsOf(state),
    results: resultsOf(state.currentMessage),
    prompt: promptOf(state),
    step: stepOf(state),
    thinking: thinkingOf(state, fields['additionalModelRequestFields']),
  }
}

function thinkingOf(state: ConversationState, fields: unknown): AmazonQAsk['thinking'] {
  const { output_config, reasoning } = (fields ?? {}) as Readonly<Record<string, { effort?: unknown } | undefined>>
  if (output_config?.effort !== undefined || reasoning?.effort !== undefined) return 'events'
  const isTagged = messagesOf(state).some(({ userInputMessage }) =>
    /<thinking_mode>(?:enabled|adaptive)</.test(userInputMessage?.content ?? ''),
  )
  return isTagged ? 'tags' : 'none'
}

/** The same for the same text. */
function toUuid(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex')
  return digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}
