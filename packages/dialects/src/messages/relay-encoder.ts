import type { Encoder } from '../dialect.ts'
import { toErrorEvent } from './errors.ts'
import { encodeNamed, PING } from './named-event.ts'

const NOTHING = Buffer.alloc(0)

/** For events that an upstream has made already. It remembers nothing, so that one is enough for all. */
export const messagesRelay: Encoder<Buffer> = {
  encode: events => events,
  heartbeat: () => PING,
  end: () => NOTHING,
  fail: failure => encodeNamed(toErrorEvent(failure)),
}
