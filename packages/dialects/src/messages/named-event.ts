import { encodeEvent } from '@millrace/sse-core'

/** An event under the name of its type. */
export function encodeNamed(event: { readonly type: string; readonly [member: string]: unknown }): Buffer {
  return Buffer.from(`event: ${event.type}\n${encodeEvent(event)}`)
}

/** What clients skip. */
export const PING = encodeNamed({ type: 'ping' })
