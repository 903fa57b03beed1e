import { toPage } from '../error-shapes.ts'
import type { Options } from '../options.ts'
import { RETRY_AFTER_OPTIONS, wishedRetryAfter } from '../service/retry-after.ts'
import type { Answer } from '../scenario.ts'
import { toServiceFault } from './errors.ts'
import type { ErrorName, ServiceFault } from './errors.ts'

/** The ways of writing an error body. */
export const SHAPES = [
  'compat',
  'compat-id',
  'code-null',
  'code-number',
  'native',
  'sse',
  'html',
  'text',
  'empty',
] as const
export type Shape = (typeof SHAPES)[number]

/** Options that go with the option `error`. */
export const ERROR_OPTIONS = {
  shape: `how it is written: ${SHAPES.join(', ')} (as the endpoint does)`,
  status: 'another status than its own',
  message: 'other words than its own',
  hidden: '1: its code stands in front of its words (0)',
  ...RETRY_AFTER_OPTIONS,
} as const satisfies Record<string, string>

interface Written {
  readonly body: string
  readonly type?: string
}

/** The native frame of an error, as event number `id` or as a body. */
export function toErrorFrame(fault: ServiceFault, requestId: string, id = 1): string {
  const data = { request_id: requestId, code: fault.native, message: fault.message }
  return `id:${id}\nevent:error\n:HTTP_STATUS/${fault.status}\ndata:${JSON.stringify(data)}\n\n`
}

/** The body in the compatible dialect. */
export function toCompatBody({ code, message, type }: ServiceFault, requestId: string, more: object = {}): object {
  return { error: { code, message, param: null, type }, ...more, request_id: requestId }
}

export function toNativeBody({ native, message }: ServiceFault, requestId: string): object {
  return { code: native, message, request_id: requestId }
}

/** The page with which the firewall stands in the way. */
export const WAF_PAGE = `<!DOCTYPE html>
<html>
<head><meta name="aliyun_waf_aa" content="simulated"><title>Verification</title></head>
<body><div id="nc_1_captcha" data-name="aliyun_waf_bb">Slide to verify that you are human.</div></body>
</html>
`

function json(value: object): Written {
  return { body: JSON.stringify(value) }
}

const WRITERS: Readonly<Record<Shape, (fault: ServiceFault, requestId: string) => Written>> = {
  compat: (fault, requestId) => json(toCompatBody(fault, requestId)),
  'compat-id': (fault, requestId) => json(toCompatBody(fault, requestId, { id: `chatcmpl-${requestId}` })),
  'code-null': (fault, requestId) => json(toCompatBody({ ...fault, code: null }, requestId)),
  'code-number': (fault, requestId) => json(toCompatBody({ ...fault, code: fault.status }, requestId)),
  native: (fault, requestId) => json(toNativeBody(fault, requestId)),
  sse: (fault, requestId) => ({ body: toErrorFrame(fault, requestId), type: 'text/event-stream' }),
  html: fault => ({ body: fault.native === 'Waf' ? WAF_PAGE : toPage(fault.status), type: 'text/html' }),
  text: ({ message }) => ({ body: message, type: 'text/plain' }),
  empty: () => ({ body: '' }),
}

/** The answer that says so. */
export function toErrorAnswer(
  fault: ServiceFault,
  shape: Shape,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { body, type = 'application/json' } = WRITERS[shape](fault, requestId)
  return { status: fault.status, headers, body, defaults: { type } }
}

/**
 * The error that a request asked for, with all that it asked of it.
 * @throws {OptionError} an option has a value that it cannot have
 */
export function toWishedError(name: ErrorName, options: Options, usualShape: Shape, requestId: string): Answer {
  const plain = toServiceFault(name, {
    message: options.text('message'),
    ...(options.has('status') && { status: options.number('status', 500) }),
  })
  const prefix = options.flag('hidden', false) ? `<${plain.status}> InternalError.Algo.${plain.native}: ` : ''
  const fault = { ...plain, message: prefix + plain.message }
  const shape = options.oneOf('shape', SHAPES, plain.shape ?? usualShape)
  return toErrorAnswer(fault, shape, requestId, wishedRetryAfter(options))
}
