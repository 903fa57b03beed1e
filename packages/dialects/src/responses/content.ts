import { GatewayError } from '@millrace/core'
import { z } from 'zod'
import { readMember, toParam } from '../read-body.ts'

type Path = readonly PropertyKey[]

/** What messages, and outputs of tools, are made of. */
export const Content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))])
export type Content = z.infer<typeof Content>

/** One part, in chat's terms. */
export interface ChatPart {
  readonly type: string
  readonly [member: string]: unknown
}

interface TextPart extends ChatPart {
  readonly type: 'text'
  readonly text: string
}

const text = z.looseObject({ text: z.string() })
const refusal = z.looseObject({ refusal: z.string() })
const image = z.looseObject({ image_url: z.string(), detail: z.string().nullish() })
const file = z.looseObject({ file_data: z.string(), filename: z.string().nullish() })
const audio = z.looseObject({ input_audio: z.looseObject({}) })

function toText(part: unknown, path: Path): TextPart {
  return { type: 'text', text: readMember(text, part, path).text }
}

const PARTS: Readonly<Record<string, (part: Readonly<Record<string, unknown>>, path: Path) => ChatPart>> = {
  input_text: toText,
  output_text: toText,
  text: toText,
  refusal: (part, path) => ({ type: 'refusal', refusal: readMember(refusal, part, path).refusal }),
  input_image(part, path) {
    refuseKept(part, path)
    const { image_url: url, detail } = readMember(image, part, path)
    return { type: 'image_url', image_url: { url, ...(detail != null && { detail }) } }
  },
  input_file(part, path) {
    refuseKept(part, path)
    const { file_data, filename } = readMember(file, part, path)
    return { type: 'file', file: { file_data, ...(filename != null && { filename }) } }
  },
  input_audio: (part, path) => ({ type: 'input_audio', input_audio: readMember(audio, part, path).input_audio }),
}

/** @throws {GatewayError} a part is not what its type says, of an unknown type, or of a file that the gateway would have to have; with `param` */
export function toParts(content: Content, path: Path): ChatPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part, at) => {
    const here = [...path, at]
    const read = PARTS[part.type]
    if (read !== undefined) return read(part, here)
    const known = Object.keys(PARTS).join(', ')
    throw new GatewayError('invalid_value', `A part may be ${known}, and not "${part.type.slice(0, 64)}".`, {
      param: toParam([...here, 'type']),
    })
  })
}

/** A single text as a string, which every service takes. */
export function toContent(parts: ChatPart[]): string | ChatPart[] {
  const [first] = parts
  return parts.length === 1 && first !== undefined && isText(first) ? first.text : parts
}

/** All that is text, one after another. */
export function textOf(parts: readonly ChatPart[]): string {
  return parts.map(part => (isText(part) ? part.text : '')).join('')
}

export function isText(part: ChatPart): part is TextPart {
  return part.type === 'text'
}

/** Files that a service keeps, or fetches by itself. */
function refuseKept(part: Readonly<Record<string, unknown>>, path: Path): void {
  for (const name of ['file_id', 'file_url']) {
    if (part[name] == null) continue
    const message = `The gateway keeps and fetches no files: send the data itself in place of "${name}".`
    throw new GatewayError('unsupported_parameter', message, { param: toParam([...path, name]) })
  }
}
