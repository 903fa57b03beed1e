import { flag, number, oneOf, orNull, text } from '../service/commands.ts'
import type { Commands } from '../service/commands.ts'
import { RETRY_AFTER_FORMS } from '../service/retry-after.ts'
import { serviceCommands } from '../service/service-commands.ts'
import type { AmazonQControl } from './control.ts'
import { EXCEPTION_NAMES } from './exceptions.ts'
import { OPERATION_NAMES } from './operations.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'
import { WINDOW_NAMES } from './quotas.ts'

export const AMAZON_Q_COMMANDS: Commands<AmazonQControl> = {
  ...serviceCommands({
    refused: 'chats',
    limits: 'chats in each window',
    scripted: 'chats',
    windows: WINDOW_NAMES,
    errors: EXCEPTION_NAMES,
    polls: POLL_NAMES,
    refreshes: REFRESH_NAMES,
    signIn: { clientExpiresIn: number },
  }),
  failOperation: {
    summary: `an error for all who ask for one of ${OPERATION_NAMES.join(', ')}`,
    needed: { operation: oneOf(...OPERATION_NAMES), error: orNull(oneOf(...EXCEPTION_NAMES)) },
  },
  setService: {
    summary: 'how exact the service is, how many models are in a page, how quotas say until when',
    optional: {
      strict: flag,
      maxCharacters: orNull(number),
      requireProfile: flag,
      modelPageSize: number,
      retryAfter: oneOf(...RETRY_AFTER_FORMS),
    },
  },
  setAccessKey: {
    summary: 'a key with which requests may be signed',
    needed: { accessKeyId: text, secretAccessKey: text },
    optional: { sessionToken: text, account: text },
  },
  removeAccessKey: { summary: 'takes it away', needed: { accessKeyId: text } },
  registerClient: { summary: 'registers a client', optional: { expiresIn: number } },
  expireClient: { summary: 'ends a registration', needed: { clientId: text } },
}
