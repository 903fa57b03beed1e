import { join } from 'node:path'
import { ACCOUNT_NAME, ACCOUNT_NAME_RULE } from '@millrace/accounts'
import type { Config } from '../config/config.ts'
import { CommandError } from './command-error.ts'

/** The file of an account's sign-in where the configuration names no other. @throws {CommandError} no account has that name */
export function signInFileOf({ stateDir }: Config, provider: string, name: string): string {
  for (const part of [provider, name]) {
    if (!ACCOUNT_NAME.test(part)) throw new CommandError(`"${part}" is no name: ${ACCOUNT_NAME_RULE}.`)
  }
  return join(stateDir, 'sign-ins', provider, `${name}.json`)
}
