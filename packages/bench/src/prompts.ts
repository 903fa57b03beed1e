import { answerText } from '@millrace/simulator'
import { DIALECTS, type DialectName } from './dialects.ts'

export interface PromptShape {
  readonly model: string
  readonly stream: boolean
  /** How long the conversation is, roughly, bytes. */
  readonly promptBytes: number
}

/** What is asked, in no dialect yet. */
export interface Conversation {
  readonly model: string
  readonly stream: boolean
  /** How many events with text the answer is to have. */
  readonly events: number
  readonly system: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

const MESSAGE_BYTES = 4000
/** What coding agents send is mostly source text: quotes, line ends, signs that JSON has to escape, and others. */
const LINE = `  if (mill.turns("${answerText(4)}") > 3) return \`${answerText(6)}\` // "${answerText(9)}" \\o/ é → 水\n`

/**
 * The body of a request for so many events. The number stands in the words of the first message, which every provider hands
 * on, and which comes early, so that nobody has to look through the whole prompt for it.
 */
export function createPrompts(
  { model, stream, promptBytes }: PromptShape,
  dialect: DialectName = 'chat',
): (events: number) => string {
  const messages: { role: string; content: string }[] = []
  for (let size = 0; size < promptBytes; size += MESSAGE_BYTES) {
    const length = Math.min(MESSAGE_BYTES, promptBytes - size)
    messages.push({
      role: messages.length % 2 === 0 ? 'user' : 'assistant',
      content: LINE.repeat(Math.ceil(length / LINE.length)),
    })
  }
  return events => {
    const system = `Be brief ("max_words": ${events}). ${answerText(40)}`
    return JSON.stringify(DIALECTS[dialect].toBody({ model, stream, events, system, messages }))
  }
}

/** From the beginning and the end of such a body, whoever wrote it anew meanwhile: what is to be sent. */
export function readPrompt(outline: string): { readonly stream: boolean; readonly events: number } {
  return {
    stream: /"stream": ?true/.test(outline),
    events: Number(/\\"max_words\\": (\d+)/.exec(outline)?.[1] ?? 1),
  }
}
