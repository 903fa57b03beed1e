import type { AccountSpec } from '@millrace/accounts'
import type { ProviderDeps } from '@millrace/core'
import type { Account, AmazonQConfig } from './config.ts'
import { endpointOf, isKiroHost } from './endpoints.ts'
import { DEFAULT_REGION, regionOfProfile, regionOfSignIn } from './regions.ts'
import { isKiroKey, openCredentials, type Credentials, type Identity } from './sign-in/credentials.ts'

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
  const credentials = openCredentials(account, {
    provider: deps.name ?? settings.kind,
    region: account.region ?? DEFAULT_REGION,
    authUrl: settings.authUrl,
    deps,
  })

  function toPlace({ isKiro, profileArn: own, region }: Identity): Place {
    const profileArn = account.profileArn ?? own
    const servedIn = account.region ?? regionOfProfile(profileArn) ?? regionOfSignIn(region)
    const endpoint = settings.endpoint ?? endpointOf(servedIn, isKiro)
    const origin = settings.origin ?? (isKiro || isKiroHost(endpoint) ? 'KIRO_CLI' : 'CLI')
    return { endpoint, profileArn, origin }
  }

  const isKey = 'accessToken' in account && isKiroKey(account.accessToken)
  // Of a login it is a guess, until it is read.
  let place = toPlace({ isKiro: isKey, profileArn: undefined, region: undefined })
  const { fingerprint, isRenewed } = credentials
  return {
    spec: { name, owner, fingerprint, isRenewed, place: () => place.endpoint },
    credentials,
    async place(signal) {
      place = toPlace(await credentials.identity(signal))
      return place
    },
  }
}
