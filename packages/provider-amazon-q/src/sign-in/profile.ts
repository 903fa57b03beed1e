import { toSafeText, UpstreamError, type ProviderDeps } from '@millrace/core'
import type { AmazonQConfig } from '../config.ts'
import { endpointOf } from '../endpoints.ts'
import { listPages, union } from '../list-pages.ts'
import { regionOfProfile, SERVING_REGIONS } from '../regions.ts'
import { createSender } from '../send.ts'
import { openToken } from './credentials.ts'
import { BUILDER_ID, type LoginCredential } from './login-credential.ts'

const PROFILES = { operation: 'ListAvailableProfiles', list: 'profiles', id: 'arn' } as const
const PAGE_SIZE = 10

interface Choice {
  /** The profile that somebody has asked for. */
  readonly asked: string | undefined
  /** The one of the last sign-in. */
  readonly last: string | undefined
  /** Where requests are going to be served. */
  readonly region: string
}

interface Context {
  readonly config: AmazonQConfig
  readonly deps: ProviderDeps
  readonly signal: AbortSignal
}

/**
 * The profile of somebody who has signed in: the one that is asked for, else that of the last sign-in, else, with an
 * Identity Center, the first of the region, or of all. Where that is not all there is to say, `onNotice` is told.
 * @throws the reason of `signal`
 */
export async function findProfile(
  { accessToken, startUrl }: LoginCredential,
  choice: Choice,
  context: Context,
): Promise<string | undefined> {
  const { deps, signal } = context
  if (startUrl?.startsWith(BUILDER_ID)) return choice.asked ?? choice.last
  const notice = (words: string): void => deps.onNotice?.(words)
  try {
    return choose(await listProfiles(accessToken, context), choice, notice)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UpstreamError)) throw error
    notice(
      `The profiles of this sign-in cannot be listed (${toSafeText(error.message)}). If it needs one, set \`profileArn\` of the account in the configuration.`,
    )
    return choice.asked ?? choice.last
  }
}

function listProfiles(accessToken: string, { config, deps, signal }: Context): Promise<readonly string[]> {
  const { endpoint, flavour } = config
  const credentials = openToken(accessToken)
  const sender = createSender({ settings: config, deps, requestId: 'sign-in', signal })
  const endpoints = endpoint === undefined ? SERVING_REGIONS.map(region => endpointOf(region, false)) : [endpoint]
  const members = { maxResults: PAGE_SIZE }
  return union(endpoints.map(endpoint => listPages(PROFILES, { credentials, endpoint, members }, { sender, flavour })))
}

function choose(
  profiles: readonly string[],
  { asked, last, region }: Choice,
  notice: (words: string) => void,
): string | undefined {
  const listed = profiles.map(arn => `\n  ${toSafeText(arn)}`).join('')
  if (asked !== undefined) {
    if (!profiles.includes(asked))
      notice(`${asked} is none of the profiles of this sign-in:${listed || ' it has none.'}`)
    return asked
  }
  if (last !== undefined && profiles.includes(last)) return last
  const chosen = profiles.find(arn => regionOfProfile(arn) === region) ?? profiles[0]
  if (chosen === undefined) notice('This sign-in has no profile: if its requests are refused, it lacks a subscription.')
  if (profiles.length > 1)
    notice(`Of the profiles of this sign-in, ${chosen} is used; \`--profile-arn\` chooses another:${listed}`)
  return chosen
}
