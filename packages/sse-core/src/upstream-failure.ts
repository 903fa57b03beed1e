import { isObject, parseJson, toSafeText, UpstreamError, type FailureCode, type JsonObject } from '@millrace/core'

/** What an upstream said of a failure, in whichever of the many shapes. */
interface Report {
  readonly message: string
  readonly type: string
  readonly code: string
  readonly param: string | undefined
  /** A status inside the body, where it holds one (vLLM, OpenRouter put it into `code`). */
  readonly status: number | undefined
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''

/** Whether an event or a body is a report of a failure rather than a piece of an answer. */
export function isFailure(value: JsonObject): boolean {
  if (value['error']) return true
  if (value['object'] === 'error' || value['type'] === 'error') return true
  if (Array.isArray(value['choices'])) return false
  return (
    ['detail', 'fault', '__type'].some(name => name in value) ||
    Array.isArray(value['errors']) ||
    ('message' in value && 'code' in value)
  )
}

/** Every shape in which upstreams report failures → one. */
function toReport(body: unknown): Report {
  const value = Array.isArray(body) ? body[0] : body
  if (!isObject(value)) return { message: text(value), type: '', code: '', param: undefined, status: undefined }
  const inner = isObject(value['error']) ? value['error'] : undefined
  const fault = isObject(value['fault']) ? value['fault'] : undefined
  const source = inner ?? fault ?? value
  const message =
    text(source['message']) ||
    text(value['error']) ||
    text(source['Message']) ||
    text(source['faultstring']) ||
    text(value['message']) ||
    detailOf(value['detail'] ?? value['errors'])
  const code = text(source['code']) || text(value['code']) || text(source['__type']) || text(source['status'])
  const numeric = Number(code)
  return {
    message,
    type: text(source['type']) || text(value['type']),
    code: Number.isInteger(numeric) ? '' : code,
    param: text(source['param']) || undefined,
    status: numeric >= 400 && numeric < 600 ? numeric : undefined,
  }
}

/** FastAPI's `detail`: a text, or a list of what was wrong where. */
function detailOf(detail: unknown): string {
  if (!Array.isArray(detail)) return isObject(detail) ? text(detail['message']) || JSON.stringify(detail) : text(detail)
  return detail
    .map(item => {
      if (!isObject(item)) return text(item)
      const at = Array.isArray(item['loc']) ? `${item['loc'].join('.')}: ` : ''
      return `${at}${text(item['msg']) || text(item['message'])}`
    })
    .join('; ')
}

const CONTEXT =
  /context[_ ]length|context window|maximum context|prompt is too long|input is too long|too many tokens|range of input length/i
const CONTENT = /content[_ ]?filter|content[_ ]?policy|data_?inspection|inappropriate content|safety/i
const QUOTA =
  /insufficient[_ ](?:quota|balance|credit)|quota[_ ]exceeded|exceeded your current quota|credit balance|payment required|billing/i
/** A limit on the pace, although DashScope's says "quota exceeded". */
const THROTTLE = /throttl/i
const RATE = /rate[_ ]?limit|too many requests|throttl/i
const OVERLOAD = /overload|unavailable|at capacity|server is busy|insufficient_system_resource/i
const REQUEST = /invalid[_ ]?request|invalid[_ ]?parameter|bad[_ ]?request|validation/i
const MODEL = /model/i

const BY_STATUS: Readonly<Record<number, FailureCode>> = {
  401: 'upstream_auth_failed',
  402: 'insufficient_quota',
  403: 'upstream_auth_failed',
  407: 'upstream_auth_failed',
  408: 'upstream_timeout',
  413: 'request_too_large',
  425: 'upstream_overloaded',
  429: 'rate_limit_exceeded',
  503: 'upstream_overloaded',
  504: 'upstream_timeout',
  522: 'upstream_timeout',
  524: 'upstream_timeout',
  529: 'upstream_overloaded',
}

function classify({ message, type, code }: Report, status: number | undefined): FailureCode {
  const label = `${code} ${type}`
  const refusable = status === undefined || status === 400 || status === 413 || status === 422
  if (refusable && CONTEXT.test(`${label} ${message}`)) return 'context_length_exceeded'
  if ((refusable || status === 403) && CONTENT.test(label)) return 'content_filter'
  if (THROTTLE.test(label)) return 'rate_limit_exceeded'
  if (QUOTA.test(label) || (status === 429 && QUOTA.test(message))) return 'insufficient_quota'
  if (status === 404) return MODEL.test(`${label} ${message}`) ? 'model_not_found' : 'upstream_bad_response'
  if (status === 405 || (status !== undefined && status < 400)) return 'upstream_bad_response'
  if (status !== undefined) return BY_STATUS[status] ?? (status < 500 ? 'upstream_rejected' : 'upstream_error')
  if (RATE.test(`${label} ${message}`)) return 'rate_limit_exceeded'
  if (OVERLOAD.test(label)) return 'upstream_overloaded'
  if (REQUEST.test(label)) return 'upstream_rejected'
  return 'upstream_error'
}

const PREFIX: Partial<Record<FailureCode, string>> = {
  upstream_auth_failed: 'The upstream refused the credentials that the gateway holds for it',
  context_length_exceeded: 'The request exceeds the maximum context length of the model',
  upstream_bad_response: 'The upstream has no such endpoint; is the base URL right?',
}

export interface FailureSource {
  /** The HTTP status, or the one named in the stream. */
  readonly status?: number | undefined
  readonly retryAfterMs?: number | undefined
}

/** A failure that an upstream reported, in its body or in the middle of a stream, as an error fit to be shown. */
export function toUpstreamError(body: unknown, { status, retryAfterMs }: FailureSource = {}): UpstreamError {
  const report = toReport(body)
  const known = status !== undefined && status >= 400 ? status : (report.status ?? status)
  const code = classify(report, known === 200 ? undefined : known)
  const words = toSafeText(report.message)
  const prefix = PREFIX[code]
  const said = words || toSafeText(report.code) || (known === undefined ? 'no reason given' : `status ${known}`)
  const message = prefix === undefined ? words || `The upstream failed (${said}).` : `${prefix} (${said}).`
  const param = report.param === undefined ? undefined : toSafeText(report.param).slice(0, 128)
  return new UpstreamError(code, message, { upstreamStatus: known, retryAfterMs, param, cause: body })
}

/** The body of an answer with an error status → what it holds: JSON, the JSON in SSE text (DashScope), or its words. */
export function parseFailureBody(body: Buffer, contentType: string): unknown {
  const raw = body.toString()
  const event = /^data:\s*(\{.*\})\s*$/m.exec(raw)?.[1]
  const value = parseJson(event ?? raw)
  if (value !== undefined) return value
  // Too long to be read whole, or cut: the message may still be there.
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*)/s.exec(raw)?.[1]
  if (message !== undefined) return { message: parseJson(`${message.replace(/\\[^"]{0,5}$/, '')}"`) }
  // A web page says nothing to the caller that its status does not say.
  return contentType.includes('html') || /^\s*</.test(raw) ? '' : raw.slice(0, 200)
}

const NUMBER = /^\s*\d+(?:\.\d+)?\s*$/

/** `retry-after-ms`, else `retry-after` in seconds or as a date → milliseconds; undefined where it says nothing usable. */
export function retryAfterOf(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const { 'retry-after-ms': precise = '', 'retry-after': value = '' } = headers
  if (NUMBER.test(precise)) return Number(precise)
  if (NUMBER.test(value)) return Number(value) * 1000
  const wait = Date.parse(value) - nowMs
  return /[a-z]/i.test(value) && wait > 0 ? wait : undefined
}
