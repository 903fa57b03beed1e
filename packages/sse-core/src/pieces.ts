import type { Channel } from './template.ts'
import { nameOf, type ToolCalls } from './tool-calls.ts'
import { isObject, type Delta, type JsonObject } from '@millrace/core'

/** Members of a delta that are handed on as they came. */
const EXTENSIONS = ['annotations', 'audio', 'reasoning_details'] as const

/** One thing that is new in a choice. */
export interface Piece {
  readonly delta: Delta
  /** Where it is a further piece of a text: of which. */
  readonly channel?: Channel
  readonly text?: string
}

/**
 * What an upstream's delta says, one thing a piece, in the order in which it goes out: reasoning before content, then
 * refusal, tool calls, and what is handed on.
 */
export function piecesOf(delta: JsonObject, tools: ToolCalls): Piece[] {
  const pieces: Piece[] = []
  const add = (channel: 'content' | 'reasoning_content', text: string): void => {
    if (text !== '') pieces.push({ delta: { [channel]: text }, channel, text })
  }
  const { content, refusal, tool_calls: called, function_call: legacy } = delta
  add('reasoning_content', reasoningOf(delta))
  add('content', typeof content === 'string' ? content : textOf(content))
  if (typeof refusal === 'string' && refusal !== '') pieces.push({ delta: { refusal } })
  if (called != null)
    for (const raw of Array.isArray(called) ? called : [called]) pieces.push(...callPieces(raw, tools))
  if (isObject(legacy)) pieces.push(...callPieces(legacy, tools))
  for (const name of EXTENSIONS) {
    const value = delta[name]
    if (value != null && !(Array.isArray(value) && value.length === 0)) pieces.push({ delta: { [name]: value } })
  }
  return pieces
}

function callPieces(raw: unknown, tools: ToolCalls): Piece[] {
  return tools.push(raw).map(call => {
    const delta = { tool_calls: [call] }
    const text = call.function.arguments
    // With a name beside it, the same bytes may next time be the beginning of another call.
    const further = call.id === undefined && text !== undefined && isObject(raw) && nameOf(raw) === undefined
    return further ? { delta, channel: 'arguments', text } : { delta }
  })
}

/** Reasoning under whichever name; of several the first that holds text. */
function reasoningOf(delta: JsonObject): string {
  for (const name of ['reasoning_content', 'reasoning', 'thinking']) {
    const value = delta[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return thinkingOf(delta['content']) || textOf(delta['reasoning_details'])
}

/** The text of a list's text parts (Mistral's content, OpenRouter's reasoning details). */
function textOf(list: unknown): string {
  if (!Array.isArray(list)) return ''
  return list.map(part => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

/** Mistral's content as a list: its thinking parts, whose text is a list again. */
function thinkingOf(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content
    .map(part => {
      const thinking = isObject(part) ? part['thinking'] : undefined
      return typeof thinking === 'string' ? thinking : textOf(thinking)
    })
    .join('')
}
