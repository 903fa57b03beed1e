import { GatewayError, isObject, type ChatRequest } from '@millrace/core'

interface Refusal {
  /** Whether the client asks for what would not happen. Values that ask for nothing are sent by many clients. */
  readonly isAsked: (value: unknown) => boolean
  readonly advice: string
}

const isGiven = (): boolean => true
const isTrueOrPositive = (value: unknown): boolean => value === true || Number(value) > 0

/**
 * Members that the service has no field for and an answer would be wrong without. All others without a field only tune
 * an answer (`temperature`, `max_tokens`, `seed`, …), are hints (`user`, `parallel_tool_calls`, …), or are done by the
 * gateway (`stop`, `stream_options`).
 */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  n: {
    isAsked: value => Number(value) > 1,
    advice: 'Amazon Q gives one choice: ask once for each choice that you want.',
  },
  tool_choice: {
    isAsked: value => value !== 'auto' && value !== 'none',
    advice:
      'Amazon Q cannot be made to call a tool: send "auto" and only the tools in question, and ask for the call in words.',
  },
  response_format: {
    isAsked: value => !isObject(value) || value['type'] !== 'text',
    advice: 'Amazon Q cannot be held to a format: leave this out, describe the format in words and check the answer.',
  },
  logprobs: { isAsked: isTrueOrPositive, advice: 'Amazon Q tells no probabilities: leave this out.' },
  top_logprobs: { isAsked: isTrueOrPositive, advice: 'Amazon Q tells no probabilities: leave this out.' },
  logit_bias: {
    isAsked: value => !isObject(value) || Object.keys(value).length > 0,
    advice: 'Amazon Q takes no weights for tokens: leave this out.',
  },
  modalities: {
    isAsked: value => !Array.isArray(value) || value.some(kind => kind !== 'text'),
    advice: 'Amazon Q answers in text only: ask for ["text"] or leave this out.',
  },
  audio: { isAsked: isGiven, advice: 'Amazon Q answers in text only: leave this out.' },
  web_search_options: {
    isAsked: isGiven,
    advice: 'Amazon Q does not search the web here: leave this out, or offer a tool that searches.',
  },
}

/** @throws {GatewayError} `unsupported_parameter` for what the service cannot do and the client relies on */
export function refuseUnsupported(request: ChatRequest): void {
  for (const [param, { isAsked, advice }] of Object.entries(REFUSALS)) {
    const value = request[param]
    if (value != null && isAsked(value)) throw new GatewayError('unsupported_parameter', advice, { param })
  }
}
