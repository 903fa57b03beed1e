import type { Dialect } from '../dialect.ts'
import { createMessagesEncoder } from './encoder.ts'
import { toMessagesError } from './errors.ts'
import { collectMessage } from './message.ts'
import { readMessagesRequest } from './read-request.ts'

export { messagesRelay } from './relay-encoder.ts'
export { readTokenCount } from './token-count.ts'

/** `POST /v1/messages`: Anthropic's way of asking. */
export const messages: Dialect = {
  name: 'messages',
  idPrefix: 'msg_',
  read(body) {
    const { chat, hidesThoughts } = readMessagesRequest(body)
    return {
      chat,
      isVerbatim: false,
      includeUsage: true,
      createEncoder: (head, promptBytes) => createMessagesEncoder(head, promptBytes, hidesThoughts),
      collect: (frames, head) => collectMessage(frames, head, hidesThoughts),
    }
  },
  toError: toMessagesError,
}
