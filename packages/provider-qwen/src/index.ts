import { defineProvider } from '@millrace/core'
import { config, mistakesIn } from './config.ts'
import { openQwen } from './provider.ts'

export type { QwenCredential } from './credential.ts'
export { pollDeviceLogin, startDeviceLogin } from './device-login.ts'
export type { DeviceLogin, PollOptions } from './device-login.ts'
export type { SignInServer } from './sign-in-server.ts'
export { createTokens } from './tokens.ts'
export type { TokensOptions } from './tokens.ts'

/** Qwen by Alibaba Cloud: keys of Model Studio's plans and regions, and sign-ins, together in one pool. */
export const qwen = defineProvider({ kind: 'qwen', config, mistakesIn, open: openQwen })
