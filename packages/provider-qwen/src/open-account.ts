import { fingerprintOf, type AccountSpec } from '@millrace/accounts'
import { secretsIn, USER_AGENT, type ProviderDeps } from '@millrace/core'
import type { Service } from '@millrace/openai-dialect'
import { adviceFor, baseUrlOf, baseUrlOfResource } from './endpoints.ts'
import { QwenError } from './failures.ts'
import { AUTH_URL } from './sign-in-server.ts'
import { createTokens } from './tokens.ts'
import type { Account, KeyAccount, QwenConfig, SignInAccount } from './config.ts'
import type { QwenCredential } from './credential.ts'

const PORTAL = 'portal'

/** One account, ready to be used. */
export interface OpenAccount {
  readonly spec: AccountSpec
  /** Whether it is served by the portal of sign-ins. */
  readonly isPortal: boolean
  /** The same for accounts that see the same models. */
  readonly place: string
  readonly hasEmbeddings: boolean
  /** Said where it is refused. */
  readonly advice: string
  /** A model to try it with. */
  readonly probeModel: string
  /** How the service is reached now. @throws {UpstreamError} it cannot be, for lack of a token */
  service(signal: AbortSignal): Service | Promise<Service>
  /** The same with another token than one that was refused; keys have no other. @throws {UpstreamError} none is to be had */
  renewed?(refused: Service, signal: AbortSignal): Promise<Service>
}

/** What an account needs to know of the provider that it is one of. */
export interface AccountContext {
  readonly settings: QwenConfig
  readonly deps: ProviderDeps
}

export function openAccount(account: Account, context: AccountContext): OpenAccount {
  return 'oauth' in account ? openSignIn(account, context) : openKey(account, context)
}

function openKey(
  { name, owner, requestsPerMinute, apiKey, plan, region, ...account }: KeyAccount,
  context: AccountContext,
): OpenAccount {
  const baseUrl = account.baseUrl ?? baseUrlOf(plan, region)
  if (baseUrl === undefined) throw new Error(`The plan ${plan} is not to be had in ${region}.`)
  const service = toService(context, baseUrl, apiKey, 'openai')
  return {
    spec: { name, owner, requestsPerMinute, place: baseUrl, fingerprint: fingerprintOf(`${apiKey} ${baseUrl}`) },
    isPortal: false,
    place: baseUrl,
    hasEmbeddings: plan === 'payg',
    advice: account.baseUrl === undefined ? adviceFor(apiKey, plan, region) : '',
    probeModel: plan === 'payg' ? 'qwen-flash' : 'qwen3-coder-plus',
    service: () => service,
  }
}

function openSignIn(
  { name, owner, requestsPerMinute, oauth, baseUrl, authUrl }: SignInAccount,
  context: AccountContext,
): OpenAccount {
  const { upstream, timeouts, name: provider = 'qwen', onNotice: onProblem } = context.deps
  const command = `millrace login ${provider} --name ${name}`
  const tokens = createTokens({ name, path: oauth, command, upstream, timeouts, authUrl, onProblem })

  function toSignedIn({ accessToken, resourceUrl }: QwenCredential): Service {
    return toService(context, baseUrl ?? resourceOf(resourceUrl, authUrl), accessToken, 'qwen-oauth')
  }

  return {
    spec: {
      name,
      owner,
      place: baseUrl ?? PORTAL,
      fingerprint: fingerprintOf(oauth),
      isRenewed: tokens.isRenewed,
      requestsPerMinute,
    },
    isPortal: true,
    place: PORTAL,
    hasEmbeddings: false,
    advice: '',
    probeModel: 'coder-model',
    async service(signal) {
      return toSignedIn(await tokens.get(signal))
    },
    async renewed(refused, signal) {
      return toSignedIn(await tokens.forceRefresh(tokenOf(refused), signal))
    },
  }
}

/** @throws {QwenError} the sign-in names a server that may not have its token */
function resourceOf(resourceUrl: string | undefined, authUrl = AUTH_URL): string {
  try {
    return baseUrlOfResource(resourceUrl, authUrl)
  } catch (error) {
    const message = `The sign-in cannot be used: ${(error as Error).message}.`
    throw new QwenError('upstream_auth_failed', message, { state: 'auth-expired' })
  }
}

function toService({ settings, deps }: AccountContext, baseUrl: string, token: string, authType: string): Service {
  const own = Object.entries(settings.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    upstream: deps.upstream,
    timeouts: deps.timeouts,
    baseUrl,
    headers: {
      'user-agent': USER_AGENT,
      'x-dashscope-useragent': USER_AGENT,
      'x-dashscope-cachecontrol': 'enable',
      'x-dashscope-authtype': authType,
      ...(settings.workspace === undefined ? undefined : { 'x-dashscope-workspace': settings.workspace }),
      ...Object.fromEntries(own),
      authorization: `Bearer ${token}`,
    },
  }
}

/** What may not be shown of a service. */
export function secretsOf({ headers }: Service): string[] {
  return secretsIn(headers).filter(word => !USER_AGENT.includes(word))
}

function tokenOf({ headers }: Service): string {
  return headers['authorization']!.slice('Bearer '.length)
}
