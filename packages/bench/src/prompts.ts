import { answerText } from '@millrace/simulator'

export interface PromptShape {
  readonly model: string
  readonly stream: boolean
  /** How long the conversation is, roughly, bytes. */
  readonly promptBytes: number
}

const MESSAGE_BYTES = 4000
/** What coding agents send is mostly source text: quotes, line ends, signs that JSON has to escape, and others. */
const LINE = `  if (mill.turns("${answerText(4)}") > 3) return \`${answerText(6)}\` // "${answerText(9)}" \\o/ é → 水\n`

/**
 * The body of a request, but for the number of events that it asks for: that is the value of `max_tokens`, which stands
 * first, so that nobody has to look through the whole prompt for it.
 */
export function createPrompts({ model, stream, promptBytes }: PromptShape): (events: number) => string {
  const messages = [{ role: 'system', content: answerText(40) }]
  for (let size = 0; size < promptBytes; size += MESSAGE_BYTES) {
    const length = Math.min(MESSAGE_BYTES, promptBytes - size)
    messages.push({
      role: messages.length % 2 === 1 ? 'user' : 'assistant',
      content: LINE.repeat(Math.ceil(length / LINE.length)),
    })
  }
  const streaming = stream ? { stream, stream_options: { include_usage: true } } : undefined
  const others = JSON.stringify({ ...streaming, model, temperature: 0.2, messages })
  return events => `{"max_tokens":${events},${others.slice(1)}`
}

/** From the beginning and the end of such a body, whoever wrote it anew meanwhile: what is to be sent. */
export function readPrompt(outline: string): { readonly stream: boolean; readonly events: number } {
  return {
    stream: /"stream": ?true/.test(outline),
    events: Number(/"max_tokens": ?(\d+)/.exec(outline)?.[1] ?? 1),
  }
}
