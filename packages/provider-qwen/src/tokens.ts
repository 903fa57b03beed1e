import { createTokenSource, expandHome, RefreshRefused, type TokenSource } from '@millrace/accounts'
import { parseCredential, toCredential, toMembers, type QwenCredential } from './credential.ts'
import { CLIENT_ID, postForm, type SignInServer } from './sign-in-server.ts'

export interface TokensOptions extends SignInServer {
  /** The account, as messages name it. */
  readonly name: string
  /** The credential's file; `~/` is the home of the user. */
  readonly path: string
  /** The command that makes a new sign-in. */
  readonly command: string
  readonly onProblem?: ((message: string) => void) | undefined
}

/** The tokens of one sign-in, from a file that the official client may use too. */
export function createTokens({
  name,
  path,
  command,
  onProblem,
  ...server
}: TokensOptions): TokenSource<QwenCredential> {
  return createTokenSource({
    name,
    path: expandHome(path),
    mend: `sign in again with \`${command}\``,
    parse: parseCredential,
    toMembers,
    refresh: (credential, signal) => refresh(server, credential, signal),
    onProblem,
  })
}

async function refresh(server: SignInServer, credential: QwenCredential, signal: AbortSignal): Promise<QwenCredential> {
  if (credential.refreshToken === undefined) throw new RefreshRefused('it has expired and has no refresh token')
  const form = { grant_type: 'refresh_token', refresh_token: credential.refreshToken, client_id: CLIENT_ID }
  const { status, value, isPage, error, words } = await postForm(server, 'token', form, signal)
  if (isPage) throw new Error(`the sign-in server answered ${status} with a web page`)
  if (status === 400 || status === 401 || (status === 200 && error !== '')) {
    throw new RefreshRefused(words || `status ${status}`)
  }
  if (status !== 200) throw new Error(words || `the sign-in server answered ${status}`)
  const fresh = value && toCredential(value, Date.now(), credential)
  if (fresh === undefined) throw new Error('the sign-in server answered without a token')
  return fresh
}
