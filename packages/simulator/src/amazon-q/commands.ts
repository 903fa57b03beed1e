import { flag, listOf, moment, number, numbersFor, oneOf, orNull, text } from '../commands.ts'
import type { Commands } from '../commands.ts'
import { RETRY_AFTER_FORMS } from '../retry-after.ts'
import type { AmazonQControl } from './control.ts'
import { EXCEPTION_NAMES } from './exceptions.ts'
import { OPERATION_NAMES } from './operations.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'
import { WINDOW_NAMES } from './quotas.ts'

const credential = text
const error = oneOf(...EXCEPTION_NAMES)

export const AMAZON_Q_COMMANDS: Commands<AmazonQControl> = {
  setClock: { summary: 'sets the clock', needed: { at: moment } },
  advanceClock: { summary: 'puts the clock forward', needed: { ms: number } },
  setLimits: {
    summary: `chats in each ${WINDOW_NAMES.join(', ')}`,
    needed: { credential, limits: numbersFor(WINDOW_NAMES) },
  },
  exhaust: {
    summary: 'refuses chats until a time, or until restored',
    needed: { credential },
    optional: { error, forMs: number, until: moment },
  },
  suspend: { summary: 'refuses chats until restored', needed: { credential }, optional: { error } },
  restore: { summary: 'makes all well again', needed: { credential } },
  script: { summary: 'what the next chats get, as wishes', needed: { credential, answers: listOf(text) } },
  failOperation: {
    summary: `an error for all who ask for one of ${OPERATION_NAMES.join(', ')}`,
    needed: { operation: oneOf(...OPERATION_NAMES), error: orNull(error) },
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
  setSignIn: {
    summary: 'how the sign-in service behaves',
    optional: {
      deviceCode: orNull(text),
      userCode: orNull(text),
      account: orNull(text),
      interval: orNull(number),
      deviceExpiresIn: number,
      expiresIn: number,
      clientExpiresIn: number,
      verificationUri: orNull(text),
      loginOmits: listOf(text),
      refreshOmits: listOf(text),
      refreshDelayMs: number,
    },
  },
  scriptPolls: {
    summary: `what polls get: ${POLL_NAMES.join(', ')}`,
    needed: { answers: listOf(oneOf(...POLL_NAMES)) },
    optional: { deviceCode: text },
  },
  scriptRefreshes: {
    summary: `what refreshes get: ${REFRESH_NAMES.join(', ')}`,
    needed: { answers: listOf(oneOf(...REFRESH_NAMES)) },
  },
  registerClient: { summary: 'registers a client', optional: { expiresIn: number } },
  expireClient: { summary: 'ends a registration', needed: { clientId: text } },
  issueTokens: {
    summary: 'signs somebody in',
    needed: { account: text },
    optional: { expiresIn: number, accessToken: text, refreshToken: text },
  },
  expireToken: { summary: "ends a token's life", needed: { token: text } },
  reset: { summary: 'everything as it was at the start' },
}
