import {
  createTokenSource,
  expandHome,
  type Clock,
  type TokenSource,
  type TokenSourceOptions,
} from '@millrace/accounts'
import { createDatabaseTokens } from './database-tokens.ts'
import type { SignInServer } from './exchange.ts'
import { parseLogin, toOwnMembers, toRenewedMembers, type LoginCredential } from './login-credential.ts'
import { kindOfFile } from './login-file.ts'
import { renewLogin } from './renew-login.ts'

export type LoginTokens = Pick<TokenSource<LoginCredential>, 'get' | 'forceRefresh' | 'isRenewed'>

export interface LoginTokensOptions {
  readonly server: SignInServer
  /** The account, as messages name it. */
  readonly name: string
  /** The file of the login. */
  readonly path: string
  /** The command that makes a new login. */
  readonly command: string
  readonly onProblem?: ((message: string) => void) | undefined
  readonly limitMs?: number | undefined
  readonly clock?: Clock | undefined
}

/** The tokens of a login in a file of whatever kind, which shows when it is first used. */
export function createLoginTokens(options: LoginTokensOptions): LoginTokens {
  const path = expandHome(options.path)
  let opened: Promise<LoginTokens> | undefined

  async function open(): Promise<LoginTokens> {
    // A file that cannot be read is told of by the source.
    const kind = await kindOfFile(path).catch(() => undefined)
    // Another kind of file may come to where there is none now.
    if (kind === undefined) opened = undefined
    if (kind === 'database') return createDatabaseTokens({ ...options, path })
    return kind === 'foreign' ? createForeignTokens({ ...options, path }) : createOwnTokens({ ...options, path })
  }
  const tokens = (): Promise<LoginTokens> => (opened ??= open())

  return {
    get: async signal => (await tokens()).get(signal),
    forceRefresh: async (refused, signal) => (await tokens()).forceRefresh(refused, signal),
    isRenewed: async () => (await tokens()).isRenewed(),
  }
}

/** The tokens of a login that the gateway keeps itself. */
export function createOwnTokens(options: LoginTokensOptions): TokenSource<LoginCredential> {
  return createTokenSource({
    ...commonOf(options),
    mend: `log in again with \`${options.command}\``,
    toMembers: toOwnMembers,
  })
}

/** The tokens of a login in Kiro's file: Kiro reads it too, so what is renewed goes there. */
function createForeignTokens(options: LoginTokensOptions): LoginTokens {
  return createTokenSource({
    ...commonOf(options),
    mend: 'log in again with the program that its file belongs to',
    toMembers: toRenewedMembers,
  })
}

function commonOf({
  server,
  command: _command,
  ...options
}: LoginTokensOptions): Omit<TokenSourceOptions<LoginCredential>, 'mend' | 'toMembers'> {
  const { path } = options
  return {
    ...options,
    parse: parseLogin,
    refresh: (credential, signal) => renewLogin(server, credential, { path, signal }),
  }
}
