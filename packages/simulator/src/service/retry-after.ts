import type { Options } from '../options.ts'

/** The form of the header `retry-after`. */
export const RETRY_AFTER_FORMS = ['none', 'seconds', 'date'] as const
export type RetryAfterForm = (typeof RETRY_AFTER_FORMS)[number]

/** Options that go with an error. */
export const RETRY_AFTER_OPTIONS = {
  retryAfter: 'the header retry-after, as it is, or `date:N`: the date in N seconds',
  retryAfterMs: 'the header retry-after-ms',
} as const satisfies Record<string, string>

/** The headers that those options ask for. */
export function wishedRetryAfter(options: Options): Readonly<Record<string, string>> {
  const headers = Object.entries({
    'retry-after': toRetryAfter(options.text('retryAfter')),
    'retry-after-ms': options.text('retryAfterMs'),
  }).filter((header): header is [string, string] => header[1] !== undefined)
  return Object.fromEntries(headers)
}

/** The header that says how long something still holds, in the form. */
export function remainingRetryAfter(ms: number, form: RetryAfterForm): Readonly<Record<string, string>> {
  if (form === 'none') return {}
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  return { 'retry-after': form === 'date' ? toHttpDate(seconds) : String(seconds) }
}

function toRetryAfter(text: string | undefined): string | undefined {
  const [, seconds] = /^date:(-?\d+)$/.exec(text ?? '') ?? []
  return seconds === undefined ? text : toHttpDate(Number(seconds))
}

/** The date in so many seconds by the client's clock, which is the machine's. */
function toHttpDate(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toUTCString()
}
