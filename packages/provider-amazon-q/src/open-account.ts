import type { AccountSpec } from '@millrace/accounts'
import type { ProviderDeps } from '@millrace/core'
import type { Account, AmazonQConfig } from './config.ts'
import { endpointOf, isKiro, regionOfProfile, regionOfSignIn } from './endpoints.ts'
import { openCredentials, type Credentials } from './sign-in/index.ts'

/** Where an account is served, and as what. */
export interface Place {
  readonly endpoint: string
  readonly profileArn: string | undefined
  /** What its requests say they come from. */
  readonly origin: string
}

/** One account, ready to be used. */
export interface OpenAccount {
  readonly spec: AccountSpec
  readonly credentials: Credentials
  /** What may show only when its login is read. @throws {UpstreamError} that cannot be done */
  place(signal: AbortSignal): Promise<Place>
}

export function openAccount(
  account: Account,
  { settings, deps }: { readonly settings: AmazonQConfig; readonly deps: ProviderDeps },
): OpenAccount {
  const { name, owner } = account
  const region = account.region ?? regionOfProfile(account.profileArn)
  const signInRegion = 'sso' in account ? regionOfSignIn(account.sso.region) : regionOfSignIn()
  const credentials = openCredentials(account, {
    provider: deps.name ?? settings.kind,
    region: region ?? signInRegion,
    authUrl: settings.authUrl,
    deps,
  })
  const { fingerprint, isRenewed } = credentials
  const token = 'accessToken' in account ? account.accessToken : undefined
  const toEndpoint = (profileArn?: string): string =>
    settings.endpoint ?? endpointOf(region ?? regionOfProfile(profileArn) ?? signInRegion, token)

  return {
    spec: { name, owner, fingerprint, isRenewed, place: toEndpoint() },
    credentials,
    async place(signal) {
      const profileArn = account.profileArn ?? (await credentials.profileArn(signal))
      const endpoint = toEndpoint(profileArn)
      return { endpoint, profileArn, origin: settings.origin ?? (isKiro(endpoint) ? 'KIRO_CLI' : 'CLI') }
    },
  }
}
