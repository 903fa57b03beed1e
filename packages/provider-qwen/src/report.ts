import { isObject } from '@millrace/core'

/** What Qwen says of a failure, in whichever of its shapes: `{ error: { code, message } }`, or `code` and `message` alone. */
export interface Report {
  /** As far as known: of the answer, of the event, or in front of the words. */
  readonly status: number | undefined
  /** Codes and types, the most telling first, in one line; `InternalError.Algo.` in front of one is left out. */
  readonly label: string
  readonly message: string
  readonly requestId: string | undefined
}

/** `<400> InternalError.Algo.InvalidParameter: Range of …`: the status and the code in front of the words. */
const PREFIX = /^<(\d{3,7})>\s*([A-Za-z][\w.]*):\s*/

/** A body, or the data of an event, as it was parsed; text where it was no JSON. */
export function toReport(body: unknown, status: number | undefined): Report {
  const outer = isObject(body) ? body : {}
  const inner = isObject(outer['error']) ? outer['error'] : outer
  const said =
    [inner['message'], outer['message'], outer['error'], outer['detail'], body].map(textOf).find(Boolean) ?? ''
  const [prefix = '', hint = '', hidden = ''] = PREFIX.exec(said) ?? []
  const codes = [hidden, inner['code'], outer['code'], inner['type'], outer['type']].map(textOf)
  const hinted = hint.length === 3 ? Number(hint) : undefined
  return {
    status: hinted ?? status,
    label: [...new Set(codes.map(code => code.replace(/^InternalError\.Algo\.(?=.)/, '')).filter(Boolean))].join(' '),
    message: said.slice(prefix.length).trim(),
    requestId: [outer['request_id'], inner['request_id']].map(textOf).find(Boolean),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
