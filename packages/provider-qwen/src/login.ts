import type { SignIn } from '@millrace/core'
import type { QwenConfig } from './config.ts'
import { pollDeviceLogin, startDeviceLogin } from './device-login.ts'
import { createTokens } from './tokens.ts'

const FREE_TIER_ENDED =
  'Qwen ended the free tier behind these sign-ins on 15 April 2026: signing in still works, but requests are refused. Use a key of Model Studio, of the Coding Plan or of the Token Plan.'

/** `millrace login`: a sign-in that somebody approves on a page of Qwen's. */
export const signIn: SignIn<QwenConfig> = {
  fileOf: (config, name) => findAccount(config, name)?.oauth,
  toAccount: (name, path) => ({ name, oauth: path }),
  async start(config, { name, path }, { name: provider = config.kind, upstream, timeouts, onNotice }, signal) {
    onNotice?.(FREE_TIER_ENDED)
    const server = { upstream, timeouts, authUrl: findAccount(config, name)?.authUrl ?? config.authUrl }
    const command = `millrace login ${provider} --name ${name}`
    const tokens = createTokens({ ...server, name, path, command, onProblem: onNotice })
    const login = await startDeviceLogin(server, signal)
    return {
      url: login.verificationUrl,
      userCode: login.userCode,
      expiresAt: Date.now() + login.expiresInMs,
      finish: async signal => tokens.store(await pollDeviceLogin(server, login, { signal })),
    }
  },
}

function findAccount(
  { accounts = [] }: QwenConfig,
  name: string,
): NonNullable<QwenConfig['accounts']>[number] | undefined {
  return accounts.find(account => account.name === name)
}
