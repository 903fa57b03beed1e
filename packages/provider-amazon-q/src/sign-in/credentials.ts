import { fingerprintOf } from '@millrace/accounts'
import type { ProviderDeps } from '@millrace/core'
import type { Account, LoginAccount, SsoAccount } from '../config.ts'
import { createAwsCredentials } from './aws-credentials.ts'
import { createLoginTokens } from './login-tokens.ts'
import type { LoginCredential } from './login-credential.ts'

/** A request that is to be authorised. */
export interface Unauthorised {
  readonly method: string
  readonly url: URL
  /** Names in lower case. All are sent as they are. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Whose credentials they are, as far as they tell. */
export interface Identity {
  /** Kiro's, which is served at hosts of its own; else Amazon Q's. */
  readonly isKiro: boolean
  readonly profileArn: string | undefined
  /** Of the sign-in, which is not always where requests go. */
  readonly region: string | undefined
}

/** How the requests of one account prove who sends them. */
export interface Credentials {
  /** Which operation its requests use. */
  readonly operation: 'GenerateAssistantResponse' | 'SendMessage'
  /** @throws {UpstreamError} no token is to be had */
  identity(signal: AbortSignal): Promise<Identity>
  /** The headers that authorise this very request, names in lower case. @throws {UpstreamError} no token is to be had */
  authorise(request: Unauthorised, signal: AbortSignal): Promise<Record<string, string>>
  /**
   * Renews what was refused, once; not there where nothing can be renewed. `refused` are the headers that
   * {@link authorise} gave, `date` is the header of that name of the refusal, which shows a clock that is wrong.
   * @throws as {@link authorise}
   */
  renew?(refused: Readonly<Record<string, string>>, signal: AbortSignal, date?: string): Promise<void>
  /** For the pool: another when the credential is another. */
  readonly fingerprint: string
  /** For the pool: whether somebody else has renewed the credential. */
  isRenewed?(): Promise<boolean>
}

interface CredentialsContext {
  /** What the configuration calls the provider. */
  readonly provider: string
  /** Where requests are signed for. */
  readonly region: string
  /** Stands in for all servers that renew tokens. */
  readonly authUrl: string | undefined
  readonly deps: ProviderDeps
}

/** Opens nothing: files and servers are looked at when the first request needs them. */
export function openCredentials(account: Account, context: CredentialsContext): Credentials {
  if ('accessToken' in account) return openToken(account.accessToken)
  if ('aws' in account) return createAwsCredentials(account, { region: context.region })
  return openLogin(account, context)
}

/** The keys of Kiro: the service wants to be told that they are keys. */
export function isKiroKey(token: string): boolean {
  return token.startsWith('ksk_')
}

/** A token as it is. */
export function openToken(token: string): Credentials {
  const isKiro = isKiroKey(token)
  return {
    operation: 'GenerateAssistantResponse',
    fingerprint: fingerprintOf(token),
    identity: async () => ({ isKiro, profileArn: undefined, region: undefined }),
    authorise: async () => toHeaders(token, isKiro ? 'API_KEY' : undefined),
  }
}

function openLogin(account: LoginAccount | SsoAccount, { provider, authUrl, deps }: CredentialsContext): Credentials {
  const { name } = account
  const path = 'sso' in account ? account.sso.file : account.login
  const tokens = createLoginTokens({
    server: { upstream: deps.upstream, authUrl },
    name,
    path,
    command: `millrace login ${provider} --name ${name}`,
    onProblem: deps.onNotice,
  })
  return {
    operation: 'GenerateAssistantResponse',
    fingerprint: fingerprintOf(path),
    async identity(signal) {
      const { isKiro, profileArn, region } = await tokens.get(signal)
      return { isKiro, profileArn, region }
    },
    async authorise(_request, signal) {
      const { accessToken, method } = await tokens.get(signal)
      return toHeaders(accessToken, TOKEN_KINDS[method])
    },
    async renew(refused, signal) {
      await tokens.forceRefresh(tokenIn(refused), signal)
    },
    isRenewed: tokens.isRenewed,
  }
}

/** Tokens that the service does not know by their looks. */
const TOKEN_KINDS: Partial<Record<LoginCredential['method'], string>> = { external_idp: 'EXTERNAL_IDP' }

function toHeaders(token: string, kind: string | undefined): Record<string, string> {
  const authorization = `Bearer ${token}`
  return kind === undefined ? { authorization } : { authorization, tokentype: kind }
}

function tokenIn({ authorization = '' }: Readonly<Record<string, string>>): string {
  return authorization.slice('Bearer '.length)
}
