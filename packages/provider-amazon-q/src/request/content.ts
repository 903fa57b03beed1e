import { GatewayError, type ChatRequest } from '@millrace/core'
import { toImage } from './image.ts'
import type { Image } from './conversation-state.ts'

export type Message = ChatRequest['messages'][number]

export interface Content {
  /** The text parts, joined by line breaks. */
  readonly text: string
  readonly images: readonly Image[]
}

/** Parts that are text, and the member that holds it. */
const TEXTS: Readonly<Record<string, string>> = { text: 'text', refusal: 'refusal' }
const NONE: readonly Image[] = []

/**
 * What the message at that place of a conversation says.
 * @throws {GatewayError} `unsupported_parameter` for parts that the service has no place for, `invalid_value` for broken
 * ones
 */
export function readContent({ role, content, refusal }: Message, at: number): Content {
  if (typeof content === 'string') return { text: content, images: NONE }
  if (content == null) return { text: typeof refusal === 'string' ? refusal : '', images: NONE }
  const takesImages = role === 'user' || role === 'tool'
  const texts: string[] = []
  const images: Image[] = []
  for (const [place, part] of content.entries()) {
    const param = `messages[${at}].content[${place}]`
    const member = Object.hasOwn(TEXTS, part.type) ? TEXTS[part.type] : undefined
    if (member !== undefined) {
      const text = part[member]
      if (typeof text !== 'string') throw invalid(`${param}.${member}`, 'The text of a part must be a string.')
      texts.push(text)
    } else if (part.type === 'image_url' && takesImages) {
      images.push(toImage(part['image_url'], `${param}.image_url`))
    } else {
      const kinds = takesImages ? 'text and images' : 'text'
      const message = `In "${role}" messages Amazon Q takes ${kinds}, no "${part.type}": send it as text or leave it out.`
      throw new GatewayError('unsupported_parameter', message, { param })
    }
  }
  return { text: texts.join('\n'), images }
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError('invalid_value', message, { param })
}
