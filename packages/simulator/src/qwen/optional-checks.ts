import { OptionError } from '../options.ts'
import { callsOf } from './chat-body.ts'
import type { ChatBody } from './chat-body.ts'
import { ServiceError } from './errors.ts'
import type { ErrorName } from './errors.ts'

/** What only some models and routes refuse: name → what to say to a request that has it. */
const OPTIONAL: Readonly<Record<string, (body: ChatBody) => readonly [error: ErrorName, message?: string] | false>> = {
  arrays: body =>
    body.messages.some(message => Array.isArray(message?.content)) && [
      'invalid-parameter',
      'input content must be a string',
    ],
  'null-content': body =>
    body.messages.some(message => message?.role === 'assistant' && message.content === null) && [
      'invalid-parameter',
      'input content must not be null',
    ],
  store: body => 'store' in body && ['invalid-parameter', 'unknown parameter: store'],
  'last-assistant': body => {
    const last = body.messages.at(-1)
    return last?.role === 'assistant' && last.partial !== true && ['list-index']
  },
  'repeated-calls': body => {
    const said = body.messages.flatMap(callsOf).map(call => JSON.stringify(call))
    return new Set(said).size < said.length && ['repeated-calls']
  },
}

export const REFUSABLE = Object.keys(OPTIONAL)

/**
 * @throws {ServiceError} the request has what is named
 * @throws {OptionError} there is no such name
 */
export function checkOptional(body: ChatBody, name: string | undefined): void {
  if (name === undefined) return
  const check = REFUSABLE.includes(name) ? OPTIONAL[name] : undefined
  if (check === undefined) throw new OptionError(`Option "refuse" is one of: ${REFUSABLE.join(', ')}.`)
  const wrong = check(body)
  if (wrong) throw new ServiceError(...wrong)
}
