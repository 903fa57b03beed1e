import { flag, listOf, moment, number, numbersFor, oneOf, orNull, text } from '../commands.ts'
import type { Commands } from '../commands.ts'
import { RETRY_AFTER_FORMS } from '../retry-after.ts'
import type { QwenControl } from './control.ts'
import { ERROR_NAMES } from './errors.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'
import { WINDOW_NAMES } from './quotas.ts'
import { PLANS, REGIONS } from './sites.ts'

const limits = numbersFor(WINDOW_NAMES)
const credential = text
const error = oneOf(...ERROR_NAMES)

/** The commands of `POST /control`: name → what stands in its object. */
export const QWEN_COMMANDS: Commands<QwenControl> = {
  setClock: { summary: 'sets the clock', needed: { at: moment } },
  advanceClock: { summary: 'puts the clock forward', needed: { ms: number } },
  setLimits: {
    summary: `requests in each window, tokens a minute, searches a day: ${WINDOW_NAMES.join(', ')}`,
    needed: { credential, limits },
  },
  exhaust: {
    summary: 'refuses requests until a time, or until restored',
    needed: { credential },
    optional: { error, forMs: number, until: moment },
  },
  suspend: { summary: 'refuses requests until restored', needed: { credential }, optional: { error } },
  restore: { summary: 'makes all well again', needed: { credential } },
  script: {
    summary: 'what the next chats and embeddings get, as wishes',
    needed: { credential, answers: listOf(text) },
  },
  setKey: {
    summary: 'where a key counts, and who pays',
    needed: { key: text },
    optional: { plan: oneOf(...PLANS), region: oneOf(...REGIONS), account: text, refusal: oneOf(400, 401, 403, 404) },
  },
  demandKnownKeys: { summary: 'only keys that were set are good' },
  setTier: { summary: 'closes or opens the portal', optional: { closed: flag, onlyAgent: orNull(text) } },
  setSignIn: {
    summary: 'how the sign-in server behaves',
    optional: {
      deviceCode: orNull(text),
      userCode: orNull(text),
      account: orNull(text),
      interval: orNull(number),
      deviceExpiresIn: number,
      expiresIn: number,
      verificationUri: orNull(text),
      resourceUrl: orNull(text),
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
  issueTokens: {
    summary: 'signs somebody in',
    needed: { account: text },
    optional: { expiresIn: number, accessToken: text, refreshToken: text },
  },
  expireToken: { summary: "ends a token's life", needed: { token: text } },
  setModelList: { summary: 'what the list of models is instead', needed: { error: orNull(error) } },
  setRetryAfter: { summary: 'how quotas say until when', needed: { form: oneOf(...RETRY_AFTER_FORMS) } },
  reset: { summary: 'everything as it was at the start' },
}
