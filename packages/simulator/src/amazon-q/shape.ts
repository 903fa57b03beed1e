import type { ChatBody } from './conversation.ts'
import { ServiceError } from './exceptions.ts'
import { ORIGINS } from './models.ts'

/** Names of tools, and the ids of their calls. */
export const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/

const TRIGGERS = new Set<unknown>(['MANUAL', 'DIAGNOSTIC', 'INLINE_CHAT'])
const MAX_CONTENT = 10_000_000
const MAX_MESSAGE_ID = 128
const MAX_PROFILE = 950

/**
 * A body whose parts have the shapes that they must have.
 * @throws {ServiceError} it has not
 */
export function checkShape(body: Readonly<Record<string, unknown>>): ChatBody {
  if (!isShaped(body)) throw new ServiceError('invalid-body')
  return body as unknown as ChatBody
}

/** An object that is no list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member may be missing, but nothing else than what `isGood` says. */
export function may(value: unknown, isGood: (value: unknown) => boolean): boolean {
  return value === undefined || isGood(value)
}

export function isList(value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isItem)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed()
}

/** Text of `min` to `max` characters. */
export function isLong(value: unknown, min: number, max: number): boolean {
  return typeof value === 'string' && value.length >= min && value.length <= max
}

function isToolUse(use: unknown): boolean {
  return (
    isObject(use) &&
    isToolId(use['toolUseId']) &&
    isLong(use['name'], 1, 64) &&
    isObject(use['input']) &&
    !hasEmptyKey(use['input'])
  )
}

function isToolId(id: unknown): boolean {
  return typeof id === 'string' && TOOL_NAME.test(id)
}

function hasEmptyKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, member]) => key === '' || hasEmptyKey(member))
}

function isToolResult(result: unknown): boolean {
  const isPart = (part: unknown): boolean =>
    isObject(part) && (part['text'] === undefined ? isObject(part['json']) : isText(part['text']))
  return (
    isObject(result) &&
    isToolId(result['toolUseId']) &&
    may(result['status'], status => status === 'success' || status === 'error') &&
    isList(result['content'], isPart)
  )
}

function isContext(context: unknown): boolean {
  return (
    isObject(context) &&
    may(context['toolResults'], results => isList(results, isToolResult)) &&
    may(context['tools'], tools => isList(tools, isObject)) &&
    may(context['envState'], isEnvironment)
  )
}

function isEnvironment(environment: unknown): boolean {
  return (
    isObject(environment) &&
    may(environment['operatingSystem'], name => isLong(name, 1, 32)) &&
    may(environment['currentWorkingDirectory'], path => isLong(path, 1, 256))
  )
}

function isImage(image: unknown): boolean {
  return isObject(image) && isObject(image['source']) && typeof image['source']['bytes'] === 'string'
}

function isUserMessage(message: unknown): boolean {
  return (
    isObject(message) &&
    isText(message['content']) &&
    isLong(message['content'], 0, MAX_CONTENT) &&
    may(message['origin'], origin => ORIGINS.includes(String(origin))) &&
    may(message['modelId'], id => typeof id === 'string') &&
    may(message['images'], images => isList(images, isImage)) &&
    may(message['userInputMessageContext'], isContext)
  )
}

function isAssistantMessage(message: unknown): boolean {
  return (
    isObject(message) &&
    isText(message['content']) &&
    may(message['messageId'], id => isLong(id, 0, MAX_MESSAGE_ID)) &&
    may(message['toolUses'], uses => isList(uses, isToolUse))
  )
}

function isMessage(message: unknown): boolean {
  if (!isObject(message) || Object.keys(message).length !== 1) return false
  return 'userInputMessage' in message
    ? isUserMessage(message['userInputMessage'])
    : isAssistantMessage(message['assistantResponseMessage'])
}

/** Whether the parts have the shapes that they must have; everything else can be looked at only then. */
function isShaped(body: Readonly<Record<string, unknown>>): boolean {
  const state = body['conversationState']
  if (!isObject(state)) return false
  const current = state['currentMessage']
  return (
    TRIGGERS.has(state['chatTriggerType']) &&
    isObject(current) &&
    'userInputMessage' in current &&
    isMessage(current) &&
    may(state['history'], history => isList(history, isMessage)) &&
    may(body['profileArn'], arn => isLong(arn, 1, MAX_PROFILE))
  )
}
