import { z } from 'zod'
import { ContractResponse } from './responses-events.ts'

/** What an answer says, as far as its dialect has words for it. */
export interface Said {
  /** A refusal counts as content. */
  readonly content: string
  readonly reasoning?: string
  /** Name and arguments of each tool call. */
  readonly calls?: readonly (readonly [name: string, input: unknown])[]
}

const TextCompletion = z.looseObject({
  object: z.literal('text_completion'),
  choices: z.array(
    z.strictObject({ text: z.string(), index: z.int(), logprobs: z.unknown(), finish_reason: z.string() }),
  ),
})

export function saidInCompletion(answer: unknown): Said {
  return { content: TextCompletion.parse(answer).choices[0]!.text }
}

export function saidInResponse(answer: unknown): Said {
  const { output } = ContractResponse.parse(answer)
  return {
    content: output
      .flatMap(item => (item.type === 'message' ? item.content : []))
      .map(part => ('text' in part ? part.text : part.refusal))
      .join(''),
    reasoning: output
      .flatMap(item => (item.type === 'reasoning' ? item.summary : []))
      .map(({ text }) => text)
      .join(''),
    calls: output.flatMap(item =>
      item.type === 'function_call' ? [[item.name, toInput(item.arguments)] as const] : [],
    ),
  }
}

const Message = z.looseObject({
  type: z.literal('message'),
  content: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text'), text: z.string().min(1) }),
      z.strictObject({ type: z.literal('thinking'), thinking: z.string().min(1), signature: z.literal('') }),
      z.strictObject({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.looseObject({}) }),
    ]),
  ),
})

export function saidInMessage(answer: unknown): Said {
  const { content } = Message.parse(answer)
  return {
    content: content.map(block => (block.type === 'text' ? block.text : '')).join(''),
    reasoning: content.map(block => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap(block => (block.type === 'tool_use' ? [[block.name, block.input] as const] : [])),
  }
}

/** What the arguments of a call hold: where an answer was cut off in the middle of them, their text. */
export function toInput(text: string): unknown {
  try {
    return JSON.parse(text || '{}')
  } catch {
    return text
  }
}
