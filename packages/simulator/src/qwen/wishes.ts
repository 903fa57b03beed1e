import { splitModel } from '../options.ts'

/** In a user's message: `[simulate: script=tool&words=3]`. */
const MARKER = /\[simulate:\s*([^\]\s]*)\s*\]/

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
  for (const query of [usual, splitModel(model).query, MARKER.exec(prompt)?.[1] ?? '', header ?? '']) {
    const wishes = new Map(new URLSearchParams(query))
    merged = wishes.has('script') || wishes.has('error') ? wishes : new Map([...merged, ...wishes])
  }
  return new URLSearchParams([...merged]).toString()
}
