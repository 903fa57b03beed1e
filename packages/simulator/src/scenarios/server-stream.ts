import { HEAD, toUsage } from '../chunks.ts'
import type { Answer, Ask, DataEvent, Scenario, StreamEvent } from '../scenario.ts'
import { textPieces } from '../words.ts'
import { chatScenario } from './chat-scenario.ts'
import { toToolCall, TOOL_OPTIONS } from './tool-call.ts'
import type { ToolCall } from './tool-call.ts'

/** What a server has to say, to be put into its own shapes. */
export interface Say {
  readonly ask: Ask
  readonly thoughts: readonly string[]
  /** Empty where tools are called. */
  readonly words: readonly string[]
  readonly calls: readonly ToolCall[]
  /** The counts for the whole answer, thoughts included. */
  readonly usage: Readonly<Record<string, unknown>>
  /** A chunk with the members that all chunks have, `choices` and others. */
  readonly chunk: (choices: readonly object[], more?: object) => DataEvent
}

interface Extras extends Pick<Answer, 'headers' | 'defaults'> {
  /** Stands before the JSON of a whole answer. */
  readonly prefix?: string
  /** Whether the server shows what the model thinks. */
  readonly thinks?: boolean
}

const MAX_THOUGHTS = 6

/**
 * A scenario in the manner of one server. `head` are the members that stand in all of its chunks, beside or instead of
 * `id`, `object`, `created` and `model`; one that is undefined is left out.
 */
export function serverScenario(
  summary: string,
  head: object,
  events: (say: Say) => Iterable<StreamEvent>,
  { thinks = true, ...extras }: Extras = {},
): Scenario {
  return chatScenario(summary, ask => events(toSay(ask, head, thinks)), {
    ...extras,
    options: {
      ...TOOL_OPTIONS,
      call: '1: two tool calls instead of text, unless their results are there (0)',
      ...(thinks && { think: '0: no thinking (1)' }),
    },
  })
}

function toSay(ask: Ask, head: object, thinks: boolean): Say {
  const calls = ask.options.flag('call', false) && !ask.hasToolResult ? [toToolCall(ask, 0), toToolCall(ask, 1)] : []
  const words = calls.length > 0 ? [] : [...textPieces(ask.options)]
  const thoughts =
    thinks && ask.options.flag('think', true) ? [...textPieces(ask.options, 3)].slice(0, MAX_THOUGHTS) : []
  return {
    ask,
    calls,
    words,
    thoughts,
    usage: toUsage(ask, words.length + calls.length + thoughts.length, thoughts.length),
    chunk: (choices, more = {}) => ({
      data: { ...HEAD, object: 'chat.completion.chunk', model: ask.model, ...head, choices, ...more },
    }),
  }
}

/** A choice with `finish_reason` null until it ends. */
export function toChoice(delta: object, finish: string | null = null, more: object = {}): object {
  return { index: 0, delta, finish_reason: finish, ...more }
}
