import { contentOf, lengthOf, messagesOf, resultsOf, toolsOf, usesOf } from './conversation.ts'
import type { ConversationState, Image, Message, Schema, ToolSpecification } from './conversation.ts'
import { ServiceError } from './exceptions.ts'
import type { ExceptionName } from './exceptions.ts'
import { isList, isLong, isObject, may, TOOL_NAME } from './shape.ts'

/** How exact the service is with requests. */
export interface Strictness {
  /** User and assistant take turns, results come in the order of the calls, tools of the past are declared. */
  strict: boolean
  /** Characters of a whole conversation; where null, four for each token that the model reads. */
  maxCharacters: number | null
}

type Check = (state: ConversationState, strictness: Strictness) => ExceptionName | false | undefined

const MAX_DESCRIPTION = 10_240
const MAX_IMAGES = 10
const MAX_IMAGE_BYTES = 10_000_000
const MAX_CONVERSATION_ID = 128

/** What no schema has at its root. */
const UNIONS = ['anyOf', 'oneOf', 'allOf']

/** The first bytes of each format of images, in base64. */
const IMAGE_STARTS: Readonly<Record<string, string>> = {
  png: 'iVBORw0KGgo',
  jpeg: '/9j/',
  gif: 'R0lGOD',
  webp: 'UklGR',
}

function isUser(message: Message): boolean {
  return message.userInputMessage !== undefined
}

function isEmpty(message: Message): boolean {
  const images = message.userInputMessage?.images ?? []
  return contentOf(message) === '' && images.length + usesOf(message).length + resultsOf(message).length === 0
}

/** The results of a message answer all calls of the one before, and nothing else. */
function isAnswered(messages: readonly Message[], at: number, strict: boolean): boolean {
  const asked = usesOf(messages[at - 1]).map(use => use.toolUseId)
  const answered = resultsOf(messages[at]).map(result => result.toolUseId)
  if (!strict) {
    asked.sort()
    answered.sort()
  }
  return asked.length === answered.length && asked.every((id, index) => answered[index] === id)
}

function hasDuplicates(names: readonly string[]): boolean {
  return new Set(names).size !== names.length
}

/** The words in a schema that some models refuse. */
const DRAFT_WORDS = new Set(['$schema', 'additionalProperties'])
const RICH_WORDS = new Set(
  (
    'pattern format minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems ' +
    'minProperties maxProperties uniqueItems multipleOf if then else patternProperties propertyNames ' +
    'dependentRequired dependentSchemas contains unevaluatedItems unevaluatedProperties'
  ).split(' '),
)

/** What is refused only of those who ask for it: name → words of schemas. */
export const REFUSABLE: Readonly<Record<string, ReadonlySet<string>>> = {
  'schema-words': DRAFT_WORDS,
  'rich-schemas': RICH_WORDS,
}

/** @throws {ServiceError} a tool has a schema with words in it that are refused: names of {@link REFUSABLE} */
export function checkSchemas(state: ConversationState, refused: string): void {
  for (const name of refused.split(',')) {
    const words = REFUSABLE[name]
    if (words !== undefined && toolsOf(state).some(({ inputSchema }) => uses(inputSchema.json, words)))
      throw new ServiceError('tool-schema-invalid')
  }
}

function uses(schema: unknown, words: ReadonlySet<string>): boolean {
  if (Array.isArray(schema)) return schema.some(part => uses(part, words))
  if (!isObject(schema)) return false
  return Object.entries(schema).some(([word, value]) => {
    if (words.has(word)) return true
    // In `properties` the keys are names, not words.
    return word === 'properties' && isObject(value)
      ? Object.values(value).some(member => uses(member, words))
      : uses(value, words)
  })
}

function isSchema(schema: Schema | undefined): boolean {
  return (
    isObject(schema) &&
    schema['type'] === 'object' &&
    isObject(schema['properties']) &&
    may(schema['required'], names => isList(names, name => typeof name === 'string') && names.length > 0) &&
    !UNIONS.some(word => word in schema)
  )
}

function isSpecification(tool: ToolSpecification): boolean {
  return typeof tool.name === 'string' && TOOL_NAME.test(tool.name) && isObject(tool.inputSchema)
}

/** What is wrong with a conversation, in the order in which it is noticed. */
const CHECKS: readonly Check[] = [
  ({ conversationId }) => !may(conversationId, id => isLong(id, 1, MAX_CONVERSATION_ID)) && 'invalid-conversation-id',
  state => toolsOf(state).some(tool => !isSpecification(tool)) && 'improper',
  state =>
    toolsOf(state).some(({ description }) => !may(description, text => isLong(text, 1, MAX_DESCRIPTION))) && 'improper',
  state => hasDuplicates(toolsOf(state).map(tool => tool.name)) && 'tool-duplicate',
  state => toolsOf(state).some(tool => !isSchema(tool.inputSchema.json)) && 'tool-schema-invalid',
  (state, { strict }) => {
    const wrong = messagesOf(state).some((message, at) => isUser(message) !== (at % 2 === 0))
    return strict && wrong && 'invalid-body'
  },
  state => {
    const twice = messagesOf(state).some(message => hasDuplicates(usesOf(message).map(use => use.toolUseId)))
    return twice && 'tool-duplicate'
  },
  (state, { strict }) => {
    const messages = messagesOf(state)
    return messages.some((_, at) => !isAnswered(messages, at, strict)) && 'tool-use-result-mismatch'
  },
  (state, { strict }) => {
    const declared = toolsOf(state).map(tool => tool.name)
    const used = messagesOf(state).flatMap(usesOf)
    if (used.length > 0 && declared.length === 0) return 'tool-config-missing'
    return strict && used.some(use => !declared.includes(use.name)) && 'tool-config-missing'
  },
  state => messagesOf(state).some(isEmpty) && 'improper',
  ({ currentMessage }) => wrongImage(currentMessage.userInputMessage?.images ?? []),
]

function wrongImage(images: readonly Image[]): ExceptionName | undefined {
  if (images.length > MAX_IMAGES) return 'image-count-exceeded'
  for (const { format, source } of images) {
    const start = IMAGE_STARTS[format]
    if (start === undefined) return 'image-format-unsupported'
    if (!source.bytes.startsWith(start)) return 'image-mime-mismatch'
    if (source.bytes.length * 0.75 > MAX_IMAGE_BYTES) return 'image-size-exceeded'
  }
  return undefined
}

/** @throws {ServiceError} there is something that the service refuses */
export function checkConversation(state: ConversationState, strictness: Strictness, maxInputTokens: number): void {
  for (const check of CHECKS) {
    const wrong = check(state, strictness)
    if (wrong) throw new ServiceError(wrong)
  }
  if (lengthOf(state) > (strictness.maxCharacters ?? maxInputTokens * 4)) throw new ServiceError('too-long')
}
