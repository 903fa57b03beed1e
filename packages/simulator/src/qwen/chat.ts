import { parseBody, parseChatRequest } from '../chat-request.ts'
import type { ChatRequest } from '../chat-request.ts'
import { splitModel } from '../options.ts'
import type { Answer } from '../scenario.ts'
import type { Reply } from '../service/route.ts'
import { wantedBy } from '../service/scripts.ts'
import { admitRequest } from './accounts.ts'
import type { QwenAccount } from './accounts.ts'
import { estimateTokens, resultsOf, toolsOf } from './chat-body.ts'
import type { ChatBody } from './chat-body.ts'
import { checkChat, isThinking } from './checks.ts'
import type { QwenAsk } from './chunks.ts'
import { toWishedError } from './error-answer.ts'
import type { Shape } from './error-answer.ts'
import { ServiceError } from './errors.ts'
import { findModel, isOtherModel } from './models.ts'
import type { QwenModel } from './models.ts'
import { checkOptional } from './optional-checks.ts'
import { costOf } from './quotas.ts'
import type { QwenCost } from './quotas.ts'
import type { Asked } from './route.ts'
import type { Wanted } from './script.ts'
import { findScript } from './scripts.ts'
import type { World } from './world.ts'

/** What makes one endpoint different from the others. */
export interface ChatManner {
  readonly shape: Shape
  /** @throws {ServiceError} this endpoint refuses what others take */
  readonly check?: (body: ChatBody, model: QwenModel, thinks: boolean) => void
  /** The answer in the endpoint's own dialect. */
  readonly translate?: (answer: Answer, ask: QwenAsk) => Answer
}

/**
 * Answers a chat request in the compatible dialect.
 * @throws {ServiceError} the account may not, or something is wrong with the request
 * @throws {RequestError | OptionError} the request, or its wish, makes no sense
 */
export function answerChat(world: World, asked: Asked, account: QwenAccount, text: string, manner: ChatManner): Reply {
  const request = parseChatRequest(text)
  const body = parseBody(text) as ChatBody
  const wanted = admit(world, asked, account, request, costOf(estimateTokens(body.messages)))
  const reply = { options: wanted.options, subject: request.model, isChat: true } as const
  if (wanted.error !== undefined) {
    return { ...reply, answer: toWishedError(wanted.error, wanted.options, manner.shape, asked.requestId) }
  }

  const model = modelOf(asked, request.model)
  const thinks = isThinking(model, body)
  checkChat({ body, model, thinks, stream: request.stream })
  checkOptional(body, wanted.options.text('refuse'))
  manner.check?.(body, model, thinks)

  const ask = toAsk(request, body, wanted, thinks)
  const answer = wanted.script.answer(ask)
  return { ...reply, answer: manner.translate?.(answer, ask) ?? answer }
}

/**
 * Lets a request to an endpoint through, and says what it gets.
 * @throws {ServiceError} the account may not
 */
export function admit(
  world: World,
  asked: Asked,
  account: QwenAccount,
  { model, prompt }: Pick<ChatRequest, 'model' | 'prompt'>,
  cost: QwenCost,
): Wanted {
  const scripted = account.answers.shift()
  if (scripted === undefined) admitRequest(world, account, cost)
  else account.quota.count(world.clock.now(), cost)
  return wantedBy(world, findScript, scripted, asked, { model, prompt: prompt() })
}

/** @throws {ServiceError} the site has no such model */
function modelOf({ site }: Asked, model: string): QwenModel {
  const { name } = splitModel(model)
  const found = findModel(site, name)
  if (found !== undefined) return found
  if (isOtherModel(name)) throw new ServiceError('model-not-supported')
  throw toNotFound(name)
}

export function toNotFound(name: string): ServiceError {
  return new ServiceError('model-not-found', `The model \`${name}\` does not exist or you do not have access to it.`)
}

function toAsk(request: ChatRequest, body: ChatBody, { options }: Wanted, thinks: boolean): QwenAsk {
  return {
    ...request,
    // All of them: the request has only the first few.
    tools: toolsOf(body).flatMap(tool => (typeof tool?.function?.name === 'string' ? tool.function.name : [])),
    results: resultsOf(body),
    model: options.text('echo', request.model),
    stream: options.oneOf('as', ['json', 'sse'], request.stream ? 'sse' : 'json') === 'sse',
    options,
    thinks,
    parallel: body['parallel_tool_calls'] === true,
    prompt: '',
    attempt: 1,
    random: () => 0,
  }
}
