import { answerText } from '@millrace/simulator'
import { nowUs } from './clock.ts'
import { STAMP_DIGITS } from './event-reader.ts'

const MODEL = 'gpt-4o-mini-2024-07-18'
const CREATED = 1_767_225_600

/** Most are plain words; some have what makes a copy of them wrong that does not look: escapes, quotes, other scripts. */
const WORDS = [...answerText(20).split(' '), 'dreht\n\n', '"grain"', 'Mühle', '\t\\', '水車'].map(word =>
  Buffer.from(JSON.stringify(` ${word}`).slice(1, -1)).toString('latin1'),
)

/** The events of one stream. All texts are latin1: one character is one byte on the wire. */
export interface StreamText {
  readonly contentType: string
  /** What comes before the first event with text. */
  readonly role: string
  /** An event with some text, stamped with the time of now. */
  event(): string
  /** What comes after the last of these. */
  ending(): string
}

let streams = 0
let word = 0

/** A stream as OpenAI sends it when usage is asked for: around 300 bytes an event, all the same but for the text. */
export function createStreamText(): StreamText {
  const id = `chatcmpl-${String(++streams).padStart(12, '0')}benchmark`
  const before = `data: {"id":"${id}","object":"chat.completion.chunk","created":${CREATED},"model":"${MODEL}","service_tier":"default","system_fingerprint":"fp_benchmark","choices":[`
  const after = '],"usage":null}\n\n'
  const contentBefore = `${before}{"index":0,"delta":{"content":"`
  const contentAfter = `"},"logprobs":null,"finish_reason":null}${after}`
  let count = 0
  return {
    contentType: 'text/event-stream; charset=utf-8',
    role: `${before}{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}${after}`,
    event() {
      count++
      return contentBefore + nextText() + contentAfter
    },
    ending() {
      const usage = { prompt_tokens: 400, completion_tokens: count, total_tokens: 400 + count }
      return `${before}{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}${after}${before}],"usage":${JSON.stringify(usage)}}\n\ndata: [DONE]\n\n`
    },
  }
}

/** The text of one event, as it stands in JSON: when it was written, and a word. */
export function nextText(): string {
  return `@${String(Math.round(nowUs())).padStart(STAMP_DIGITS, '0')}${WORDS[word++ % WORDS.length]!}`
}

/** A whole answer of some 300 words. */
export const WHOLE_ANSWER = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-000000000000benchmark',
    object: 'chat.completion',
    created: CREATED,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answerText(300), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 400, completion_tokens: 300, total_tokens: 700 },
    service_tier: 'default',
    system_fingerprint: 'fp_benchmark',
  }),
)

export const MODELS = Buffer.from(
  JSON.stringify({ object: 'list', data: [{ id: 'grain', object: 'model', created: CREATED, owned_by: 'bench' }] }),
)
