import { defineProvider } from '@millrace/core'
import { config, mistakesIn } from './config.ts'
import { signIn } from './login.ts'
import { openQwen } from './provider.ts'

/** Qwen by Alibaba Cloud: keys of Model Studio's plans and regions, and sign-ins, together in one pool. */
export const qwen = defineProvider({ kind: 'qwen', config, mistakesIn, open: openQwen, signIn })
