import { toPage } from '../error-shapes.ts'
import type { Options } from '../options.ts'
import { RETRY_AFTER_OPTIONS, wishedRetryAfter } from '../service/retry-after.ts'
import type { Answer } from '../scenario.ts'
import { EXCEPTIONS } from './exceptions.ts'
import type { ExceptionName, ServiceFault } from './exceptions.ts'

/** How operations are named, and errors written: in a header with JSON 1.0, or in the path. */
export type Flavour = 'json' | 'rest'

export const CONTENT_TYPES: Readonly<Record<Flavour, string>> = {
  json: 'application/x-amz-json-1.0',
  rest: 'application/json',
}

/** The ways of writing an error. */
const SHAPES = ['json', 'rest', 'short', 'code', 'bare', 'capital', 'html', 'text', 'empty', 'cut'] as const
type Shape = (typeof SHAPES)[number]

/** Options that go with the option `error`. */
export const ERROR_OPTIONS = {
  shape: `how it is written: ${SHAPES.join(', ')} (as the operation was called)`,
  status: 'another status than its own',
  message: 'other words than its own',
  reason: 'another reason than its own; none: null',
  ...RETRY_AFTER_OPTIONS,
} as const satisfies Record<string, string>

interface Written {
  readonly body: string
  readonly type: string
  readonly headers?: Readonly<Record<string, string>>
}

function json(type: string, value: object, headers: Readonly<Record<string, string>> = {}): Written {
  return { type, body: JSON.stringify(value), headers }
}

/** What stands in a body or in an exception frame beside the exception's name. */
export function toFaultBody({ message, reason }: ServiceFault): object {
  return { message, reason }
}

const WRITERS: Readonly<Record<Shape, (fault: ServiceFault) => Written>> = {
  json: fault =>
    json(CONTENT_TYPES.json, {
      __type: `com.amazon.aws.codewhisperer#${fault.exception}`,
      ...toFaultBody(fault),
    }),
  rest: fault => json(CONTENT_TYPES.rest, toFaultBody(fault), { 'x-amzn-errortype': fault.exception }),
  short: fault => json(CONTENT_TYPES.json, { __type: fault.exception, ...toFaultBody(fault) }),
  code: fault =>
    json(CONTENT_TYPES.rest, { code: `com.amazon.coral.service#${fault.exception}`, ...toFaultBody(fault) }),
  bare: fault => json(CONTENT_TYPES.rest, toFaultBody(fault)),
  capital: fault =>
    json(
      CONTENT_TYPES.rest,
      { Message: fault.message },
      { 'x-amzn-errortype': `${fault.exception}:http://simulated/` },
    ),
  html: ({ status }) => ({ type: 'text/html', body: toPage(status) }),
  text: ({ message }) => ({ type: 'text/plain', body: message }),
  empty: () => ({ type: 'text/plain', body: '' }),
  cut: ({ exception }) => ({ type: CONTENT_TYPES.json, body: `{"__type":"${exception}","mess` }),
}

/** The answer that says so. */
export function toErrorAnswer(
  fault: ServiceFault,
  shape: Shape,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { body, type, headers: own } = WRITERS[shape](fault)
  return {
    status: fault.status,
    headers: { ...own, ...headers },
    body: fault.status === 204 ? '' : body,
    defaults: { type },
  }
}

/**
 * The error that a request asked for, with all that it asked of it.
 * @throws {OptionError} an option has a value that it cannot have
 */
export function toWishedError(name: ExceptionName, options: Options, flavour: Flavour): Answer {
  return toErrorAnswer(toWishedFault(name, options), options.oneOf('shape', SHAPES, flavour), wishedRetryAfter(options))
}

/** The same without the shape. */
export function toWishedFault(name: ExceptionName, options: Options): ServiceFault {
  const plain: ServiceFault = EXCEPTIONS[name]
  const reason = options.text('reason', plain.reason ?? 'none')
  return {
    ...plain,
    status: options.number('status', plain.status),
    message: options.text('message', plain.message),
    reason: reason === 'none' ? null : reason,
  }
}
