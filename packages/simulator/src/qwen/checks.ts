import { callsOf, countCacheMarkers, estimateTokens, toolsOf } from './chat-body.ts'
import type { ChatBody } from './chat-body.ts'
import { ServiceError } from './errors.ts'
import type { ErrorName } from './errors.ts'
import type { QwenModel } from './models.ts'

/** A request, and what is known of it. */
export interface Checked {
  readonly body: ChatBody
  readonly model: QwenModel
  readonly stream: boolean
  /** Whether the model is going to think. */
  readonly thinks: boolean
}

/** What is wrong: an error of the catalogue, or one about a parameter in these words. */
interface Wrong {
  readonly error: ErrorName
  readonly message?: string
}

type Check = (checked: Checked) => Wrong | false | undefined

const ROLES = ['system', 'user', 'assistant', 'tool']
const TOOL_NAME = /^[\w-]{1,64}$/
const MAX_CACHE_MARKERS = 4
const MAX_CHOICES = 4

function invalid(message: string): Wrong {
  return { error: 'invalid-parameter', message }
}

/** Wrong if the parameter is there and no number, or not in the range. */
function outside(body: ChatBody, name: string, text: string, isIn: (value: number) => boolean): Wrong | false {
  const value = body[name]
  if (value === undefined || value === null) return false
  return !(typeof value === 'number' && isIn(value)) && invalid(`Range of ${name} should be ${text}`)
}

function range(name: string, text: string, isIn: (value: number) => boolean): Check {
  return ({ body }) => outside(body, name, text, isIn)
}

/** Whether a model thinks that is asked like this. */
export function isThinking(model: QwenModel, body: Readonly<Record<string, unknown>>): boolean {
  if (model.thinking === 'none') return false
  if (model.thinking === 'always') return true
  const asked = body['enable_thinking']
  return typeof asked === 'boolean' ? asked : model.thinking === 'on'
}

function formatOf(body: ChatBody): unknown {
  return (body['response_format'] as { type?: unknown } | null | undefined)?.type
}

/** What is refused at every endpoint that chats, in the order in which it is noticed. */
const CHECKS: readonly Check[] = [
  ({ body }) => {
    const at = body.messages.findIndex(message => !ROLES.includes(String(message?.role)))
    const role = body.messages[at]?.role
    return at !== -1 && invalid(`'${String(role)}' is not one of ['${ROLES.join("', '")}'] - 'messages.${at}.role'`)
  },
  ({ body }) => {
    const orphan = body.messages.some((message, at) => {
      return message?.role === 'tool' && !isBehindCall(body, at)
    })
    return orphan && invalid('messages with role "tool" must be a response to a preceding message with "tool_calls".')
  },
  ({ body }) => body.messages.flatMap(callsOf).some(call => !isJson(call.arguments)) && { error: 'broken-arguments' },
  ({ body, model }) => {
    const most = model.input ?? model.context
    return estimateTokens(body.messages) > most && invalid(`Range of input length should be [1, ${most}]`)
  },
  ({ body, model: { output } }) =>
    outside(body, 'max_tokens', `[1, ${output}]`, value => value >= 1 && value <= output),
  range('temperature', '[0.0, 2.0)', value => value >= 0 && value < 2),
  range('top_p', '(0.0, 1.0]', value => value > 0 && value <= 1),
  range('top_k', '[0, 2147483647]', value => value >= 0),
  range('presence_penalty', '[-2.0, 2.0]', value => Math.abs(value) <= 2),
  range('repetition_penalty', '(0.0, inf)', value => value > 0),
  range('seed', '[0, 2147483647]', value => value >= 0 && value <= 2 ** 31 - 1),
  range('n', `[1, ${MAX_CHOICES}]`, value => value >= 1 && value <= MAX_CHOICES),
  range('top_logprobs', '[0, 5]', value => value >= 0 && value <= 5),
  ({ body }) =>
    body['n'] !== undefined && body['n'] !== 1 && toolsOf(body).length > 0 && invalid('n must be 1 with tools'),
  ({ body }) => Array.isArray(body['tools']) && body['tools'].length === 0 && invalid("[] is too short - 'tools'"),
  ({ body }) => {
    const wrong = toolsOf(body).find(tool => !isToolName(tool?.function?.name))
    return wrong !== undefined && invalid(`Tool name '${String(wrong?.function?.name)}' is not allowed`)
  },
  ({ body }) => body['tool_choice'] === 'required' && { error: 'tool-choice' },
  ({ body, thinks }) =>
    thinks &&
    typeof body['tool_choice'] === 'object' &&
    body['tool_choice'] !== null &&
    invalid('The tool_choice parameter does not support being set to object in thinking mode'),
  ({ body, thinks }) =>
    formatOf(body) === 'json_object' &&
    thinks &&
    invalid('Json mode response is not supported when enable_thinking is true'),
  ({ body }) =>
    formatOf(body) === 'json_object' && !/json/i.test(JSON.stringify(body.messages)) && { error: 'json-word' },
  ({ body, model }) =>
    model.thinking === 'always' &&
    body['enable_thinking'] === false &&
    invalid('The value of the enable_thinking parameter is restricted to True.'),
  ({ body, model: { budget = Infinity }, thinks }) =>
    thinks && outside(body, 'thinking_budget', `[1, ${budget}]`, value => value >= 1 && value <= budget),
  ({ model, stream }) => model.streamOnly === true && !stream && { error: 'stream-only' },
  ({ model, stream, thinks }) => thinks && !stream && model.thinksWhole !== true && { error: 'thinking-whole' },
  ({ body }) => {
    const count = countCacheMarkers(body)
    return (
      count > MAX_CACHE_MARKERS &&
      invalid(`There are ${count} cache_control markers; ${MAX_CACHE_MARKERS} is the most.`)
    )
  },
]

/** @throws {ServiceError} there is something that the service refuses */
export function checkChat(checked: Checked): void {
  for (const check of CHECKS) {
    const wrong = check(checked)
    if (wrong) throw new ServiceError(wrong.error, wrong.message)
  }
}

/** Whether only results of tools stand between a message and the calls that it may be an answer to. */
function isBehindCall(body: ChatBody, at: number): boolean {
  const asking = body.messages.slice(0, at).findLast(message => message?.role !== 'tool')
  return asking?.role === 'assistant' && callsOf(asking).length > 0
}

function isToolName(name: unknown): boolean {
  return typeof name === 'string' && TOOL_NAME.test(name) && name !== 'search'
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text))
    return true
  } catch {
    return false
  }
}
