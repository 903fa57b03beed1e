import { flag, oneOf, orNull, text } from '../service/commands.ts'
import type { Commands } from '../service/commands.ts'
import { RETRY_AFTER_FORMS } from '../service/retry-after.ts'
import { serviceCommands } from '../service/service-commands.ts'
import type { QwenControl } from './control.ts'
import { ERROR_NAMES } from './errors.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'
import { WINDOW_NAMES } from './quotas.ts'
import { PLANS, REGIONS } from './sites.ts'

export const QWEN_COMMANDS: Commands<QwenControl> = {
  ...serviceCommands({
    refused: 'requests',
    limits: 'requests in each window, tokens a minute, searches a day',
    scripted: 'chats and embeddings',
    windows: WINDOW_NAMES,
    errors: ERROR_NAMES,
    polls: POLL_NAMES,
    refreshes: REFRESH_NAMES,
    signIn: { resourceUrl: orNull(text) },
  }),
  setKey: {
    summary: 'where a key counts, and who pays',
    needed: { key: text },
    optional: { plan: oneOf(...PLANS), region: oneOf(...REGIONS), account: text, refusal: oneOf(400, 401, 403, 404) },
  },
  demandKnownKeys: { summary: 'only keys that were set are good' },
  setTier: { summary: 'closes or opens the portal', optional: { closed: flag, onlyAgent: orNull(text) } },
  setModelList: {
    summary: 'what the list of models is instead',
    needed: { error: orNull(oneOf(...ERROR_NAMES)) },
  },
  setRetryAfter: { summary: 'how quotas say until when', needed: { form: oneOf(...RETRY_AFTER_FORMS) } },
}
