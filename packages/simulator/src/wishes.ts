import { splitModel } from './options.ts'

/** Begins a wish in a user's message: `[simulate: script=tool&name=look&arguments={"at":"the mill"}]`. */
const MARKER = '[simulate:'

/** What a request asks the simulator for, wherever it says so. */
export interface WishSources {
  /** What all get that say nothing. */
  readonly usual: string
  /** As the client wrote it, with `?` and options behind the name or without. */
  readonly model: string
  /** The last user message. */
  readonly prompt: string
  /** The header `x-simulate`. */
  readonly header: string | undefined
}

/**
 * The wishes as one, `name=value&name=value`. The header counts more than the prompt, that more than the model's name,
 * and that more than the usual; one that names a script or an error puts aside all that count less.
 */
export function toWish({ usual, model, prompt, header }: WishSources): string {
  let merged = new Map<string, string>()
  for (const query of [usual, splitModel(model).query, wishIn(prompt), header ?? '']) {
    const wishes = new Map(new URLSearchParams(query))
    merged = wishes.has('script') || wishes.has('error') ? wishes : new Map([...merged, ...wishes])
  }
  return new URLSearchParams([...merged]).toString()
}

function wishIn(prompt: string): string {
  const at = prompt.indexOf(MARKER)
  return at === -1 ? '' : upToBracket(prompt.slice(at + MARKER.length)).trim()
}

/** What stands before the bracket that ends a wish; nothing where none does. JSON stands in it as it is, and is encoded here. */
function upToBracket(text: string): string {
  const at = text.search(/[\]{]/)
  if (at === -1 || text[at] === ']') return text.slice(0, Math.max(0, at))
  const object = objectIn(text.slice(at)) || '{'
  return text.slice(0, at) + encodeURIComponent(object) + upToBracket(text.slice(at + object.length))
}

const STRINGS_AND_BRACES = /"(?:[^"\\]|\\.)*"|[{}]/gs

/** The JSON object that a text begins with; empty where it has no end. */
function objectIn(text: string): string {
  let depth = 0
  for (const { 0: token, index } of text.matchAll(STRINGS_AND_BRACES)) {
    if (token === '{') depth++
    else if (token === '}' && --depth === 0) return text.slice(0, index + 1)
  }
  return ''
}
