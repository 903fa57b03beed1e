import type { Account } from '../service/accounts.ts'
import { ServiceError } from './exceptions.ts'
import type { ExceptionName } from './exceptions.ts'
import type { WindowName } from './quotas.ts'
import type { World } from './world.ts'

export type AmazonQAccount = Account<WindowName, ExceptionName>

/** What is known of a kind of accounts. */
interface AccountKind {
  readonly summary: string
  /** The title of the subscription. */
  readonly title: string
  /** The profiles that requests may name. */
  readonly accepted: readonly string[]
  /** Those that are listed; null where listing them is refused. */
  readonly listed: readonly string[] | null
}

const SHARED_PROFILE = 'arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX'
const SOCIAL_PROFILE = 'arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK'
const PRO_PROFILES = [
  'arn:aws:codewhisperer:us-east-1:123456789012:profile/SIMULATED001',
  'arn:aws:codewhisperer:eu-central-1:123456789012:profile/SIMULATED002',
]

export const ACCOUNT_KINDS = {
  builder: {
    summary: 'AWS Builder ID, which has no profile',
    title: 'FREE TIER',
    accepted: [SHARED_PROFILE],
    listed: null,
  },
  pro: {
    summary: 'a user of an Identity Center, with two profiles',
    title: 'PRO TIER',
    accepted: PRO_PROFILES,
    listed: PRO_PROFILES,
  },
  social: {
    summary: 'a social sign-in of Kiro, with the profile that goes with it',
    title: 'KIRO FREE',
    accepted: [SOCIAL_PROFILE],
    listed: [SOCIAL_PROFILE],
  },
  key: { summary: 'an API key of Kiro', title: 'KIRO PRO', accepted: [], listed: [] },
  iam: { summary: 'a user of IAM, who signs requests', title: 'PRO TIER', accepted: [], listed: [] },
} as const satisfies Record<string, AccountKind>

type KindName = keyof typeof ACCOUNT_KINDS

/** Words in an account's name that make it what they say, for ever: word → the error that its requests get. */
export const STATE_WORDS = {
  expired: 'invalid-token',
  suspended: 'suspended',
  spent: 'monthly',
  throttled: 'throttled',
} as const satisfies Record<string, ExceptionName>

function wordsOf(name: string): readonly string[] {
  return name.toLowerCase().split(/[-_.]/)
}

/** The kind that a word in its name says; Builder ID where none does. */
export function kindOf({ name }: AmazonQAccount): AccountKind & { readonly name: KindName } {
  const words = wordsOf(name)
  const kind =
    words[0] === 'ksk' ? 'key' : ((['pro', 'social', 'iam'] as const).find(one => words.includes(one)) ?? 'builder')
  return { name: kind, ...ACCOUNT_KINDS[kind] }
}

/**
 * Lets one more chat through, and counts it.
 * @throws {ServiceError} the account is suspended, exhausted or at a limit
 */
export function admitChat({ accounts, clock }: World, account: AmazonQAccount): void {
  checkWords(account, ['spent', 'throttled'])
  const refusal = accounts.refusal(account)
  if (refusal !== null) throw new ServiceError(refusal.error, undefined, refusal.until)
  account.quota.count(clock.now())
}

/** @throws {ServiceError} the account's name says that none of its requests is taken */
export function checkIdentity(account: AmazonQAccount): void {
  checkWords(account, ['expired', 'suspended'])
}

function checkWords({ name }: AmazonQAccount, states: readonly (keyof typeof STATE_WORDS)[]): void {
  const words = wordsOf(name)
  for (const state of states) if (words.includes(state)) throw new ServiceError(STATE_WORDS[state])
}
