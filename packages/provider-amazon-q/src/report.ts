import { isObject, textOf } from '@millrace/core'
import { parseFailureBody, retryAfterOf } from '@millrace/sse-core'

/** What the service says of a failure, before its answer or in the middle of it. */
export interface Report {
  /** Undefined in the middle of an answer. */
  readonly status: number | undefined
  /** The name of the exception, without its namespace; empty where it has none. */
  readonly name: string
  /** One of a closed set, which says more than the name; empty where there is none. */
  readonly reason: string
  readonly message: string
  readonly retryAfterMs: number | undefined
}

/** One that says nothing. */
export const NO_REPORT: Report = { status: undefined, name: '', reason: '', message: '', retryAfterMs: undefined }

interface Failed {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A failure by its status. The name of the exception stands in a header, or in the body. */
export function toReport({ status, headers, body }: Failed, now: number): Report {
  const value = parseFailureBody(body, headers['content-type'] ?? '')
  return { ...readReport(value, headers['x-amzn-errortype']), status, retryAfterMs: retryAfterOf(headers, now) }
}

/** A failure by what an answer holds: the payload of a message, or JSON in place of one. */
export function readReport(value: unknown, name?: string): Report {
  const outer = isObject(value) ? value : {}
  // Not of this service, but of what may stand in front of it.
  const inner = isObject(outer['error']) ? outer['error'] : outer
  const names = [name, outer['__type'], inner['code'], inner['type']].map(textOf)
  const messages = [inner['message'], inner['Message'], inner['errorMessage'], outer['error'], value].map(textOf)
  return {
    ...NO_REPORT,
    name: toName(names.find(Boolean) ?? ''),
    reason: textOf(inner['reason']),
    message: messages.find(Boolean) ?? '',
  }
}

/** `com.amazon.aws.codewhisperer#ThrottlingException:http://…` → `ThrottlingException`. */
function toName(text: string): string {
  return text.replace(/:.*$/s, '').replace(/^.*#/s, '')
}
