import { GatewayError, type ChatRequest } from '@millrace/core'
import { isKnownBlock, isKnownSource, type Block, type KnownBlock } from './request.ts'

export type Part = Exclude<NonNullable<ChatRequest['messages'][number]['content']>, string>[number]

type TextPart = Part & { readonly text: string }

/** What stands between texts that were blocks of their own. */
const BREAK = '\n\n'

/** What Claude Code puts first into its instructions, for Anthropic's servers alone. */
const BILLING_HEADER = 'x-anthropic-billing-header:'

/** How a block reads that a user or a tool may hold. */
const READERS: {
  readonly [Type in KnownBlock['type']]?: (block: Extract<KnownBlock, { type: Type }>, at: string) => Part[]
} = {
  text: ({ text }) => toTextParts(text),
  image: ({ source }, at) => [{ type: 'image_url', image_url: { url: toUrl(source, `${at}.source`) } }],
  document: ({ source, title }, at) => [...toTextParts(title), ...toDocument(source, title, `${at}.source`)],
  search_result: ({ title, source, content }, at) => [
    textPart([title, source, textOf(toParts(content, `${at}.content`))].join('\n')),
  ],
  tool_reference: ({ tool_name }) => [textPart(`The tool ${tool_name} can now be called.`)],
}

/**
 * Blocks that a user or a tool hold, as parts of chat content. Empty texts are left out.
 * @param at where the blocks stand in the request
 * @throws {GatewayError} `unsupported_parameter`: a block that means something and cannot be handed on
 */
export function toParts(content: string | readonly Block[], at: string): Part[] {
  if (typeof content === 'string') return toTextParts(content)
  return content.flatMap((block, index) => toPart(block, `${at}[${index}]`))
}

/** One of them; `at` is where it stands. */
export function toPart(block: Block, at: string): Part[] {
  const read = isKnownBlock(block) ? READERS[block.type] : undefined
  if (read === undefined) throw unsupported(at, `a block of the type "${block.type}" in this place`)
  return (read as (block: Block, at: string) => Part[])(block, at)
}

function toDocument(source: Block, title: string | null | undefined, at: string): Part[] {
  if (isKnownSource(source)) {
    if (source.type === 'text') return toTextParts(source.data)
    if (source.type === 'content') return toParts(source.content, `${at}.content`)
    if (source.type === 'base64') {
      return [{ type: 'file', file: { filename: title || 'document.pdf', file_data: toUrl(source, at) } }]
    }
  }
  throw unsupported(at, `a document by "${source.type}"`)
}

function toUrl(source: Block, at: string): string {
  if (isKnownSource(source)) {
    if (source.type === 'url') return source.url
    if (source.type === 'base64') return `data:${source.media_type};base64,${source.data}`
  }
  throw unsupported(at, `an image by "${source.type}"`)
}

/** Parts as chat content: one text where they are nothing else, which every server takes. */
export function toContent(parts: Part[]): string | Part[] {
  return parts.every(isText) ? textOf(parts) : parts
}

/** The texts among parts, as one. */
export function textOf(parts: readonly Part[]): string {
  return parts
    .filter(isText)
    .map(part => part.text)
    .join(BREAK)
}

export function isText(part: Part): part is TextPart {
  return part.type === 'text'
}

export function textPart(text: string): TextPart {
  return { type: 'text', text }
}

function toTextParts(text: string | null | undefined): TextPart[] {
  return text ? [textPart(text)] : []
}

/** Instructions as one text, without what is none. */
export function toInstructions(system: string | readonly Block[]): string {
  if (typeof system === 'string') return system
  const texts = system.filter(isKnownBlock).flatMap(block => (block.type === 'text' ? toTextParts(block.text) : []))
  return textOf(texts.filter(({ text }) => !text.startsWith(BILLING_HEADER)))
}

function unsupported(param: string, what: string): GatewayError {
  return new GatewayError('unsupported_parameter', `The gateway cannot hand on ${what.slice(0, 200)}: ${param}.`, {
    param,
  })
}
