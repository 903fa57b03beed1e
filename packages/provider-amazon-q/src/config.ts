import { ACCOUNT_NAME, ACCOUNT_NAME_RULE } from '@millrace/accounts'
import type { ConfigMistake } from '@millrace/core'
import { z } from 'zod'
import { PROFILE_ARN, REGION } from './regions.ts'

const token = z.string().describe('Bearer token or `ksk_…` key; in the file usually `${NAME}`, from the environment')
const file = z.string().min(1)
const region = z.string().regex(REGION, 'is no region: use one such as `us-east-1`')
const profileArn = z
  .string()
  .max(950)
  .regex(PROFILE_ARN, 'is no profile: it looks like `arn:aws:codewhisperer:us-east-1:…:profile/…`')

const sso = z.strictObject({
  startUrl: z.url().optional().describe('Where the organisation signs in; left out, AWS Builder ID'),
  region: region.optional().describe('The region of the Identity Center; left out, us-east-1'),
  file: file.describe('The file that holds the sign-in, made by `millrace login`'),
})

const aws = z.strictObject({
  profile: z.string().min(1).optional().describe("A profile of AWS's own configuration files"),
  accessKeyId: z.string().min(1).optional().describe('Instead of a profile: an access key'),
  secretAccessKey: z.string().min(1).optional().describe('The secret of the access key'),
  sessionToken: z.string().min(1).optional().describe('The session token of a temporary access key'),
})

const accountSchema = z.strictObject({
  name: z
    .string()
    .regex(ACCOUNT_NAME, `is no name for an account: ${ACCOUNT_NAME_RULE}`)
    .describe('What the log and the list of accounts call it'),
  accessToken: token.optional(),
  login: file
    .optional()
    .describe(
      "The login of a program on this machine: Amazon Q's or Kiro's `data.sqlite3`, or Kiro's `kiro-auth-token.json`",
    ),
  sso: sso.optional().describe("A sign-in of the gateway's own, with AWS Builder ID or an Identity Center"),
  aws: z
    .union([z.literal(true), aws])
    .optional()
    .describe(
      'Requests signed with AWS credentials: `true` for what the environment, files or the machine hold, or which ones',
    ),
  profileArn: profileArn.optional().describe("The account's profile, where its login does not name one"),
  region: region
    .optional()
    .describe("Where the account is served; else the provider's, else that of its profile or sign-in"),
  owner: z
    .string()
    .min(1)
    .optional()
    .describe('The name of a key in `auth.keys` whose personal account it is: nobody else is served by it'),
  shared: z
    .boolean()
    .optional()
    .describe(
      'With `true` a personal account serves everybody. A `login` or `sso` must have an `owner`, or this, where `auth.keys` has several keys.',
    ),
})

export const config = z.strictObject({
  kind: z.literal('amazon-q'),
  accessToken: token.optional().describe('The token of the only account: short for `accounts` with one entry'),
  accounts: z
    .array(accountSchema)
    .min(1)
    .max(1000)
    .optional()
    .describe('Several accounts, used in turn; one that is throttled, spent or refused is left out for a while'),
  endpoint: z
    .url()
    .optional()
    .describe(
      'Root of the service; else https://q.REGION.amazonaws.com, and for keys and logins of Kiro https://runtime.REGION.kiro.dev',
    ),
  flavour: z
    .enum(['json', 'rest'])
    .default('json')
    .describe('How operations are named: `json` in a header, `rest` in the path. The service takes both.'),
  region: region
    .optional()
    .describe("Where accounts are served; else the region of an account's profile, or of its sign-in, or us-east-1"),
  origin: z
    .string()
    .regex(/^[A-Z][A-Z_]*$/, 'is no origin: use one such as `CLI`, `KIRO_CLI` or `AI_EDITOR`')
    .optional()
    .describe(
      'What requests say they come from, which decides about models and quotas; else `KIRO_CLI` for keys, logins and hosts of Kiro, and `CLI`',
    ),
  authUrl: z.url().optional().describe('The server that renews sign-ins, if not https://oidc.REGION.amazonaws.com'),
  optOut: z
    .boolean()
    .default(true)
    .describe('Whether the service is told not to keep the content of requests to improve itself'),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .describe("Headers to send with every request, also in place of the gateway's own, such as `user-agent`"),
})
export type AmazonQConfig = z.infer<typeof config>

/** An account as the configuration means it. */
export type Account = TokenAccount | LoginAccount | SsoAccount | AwsAccount

interface AnyAccount {
  readonly name: string
  readonly profileArn: string | undefined
  /** Where it is served, if the configuration says so. */
  readonly region: string | undefined
  /** The only caller that it serves; undefined where it serves all. */
  readonly owner: string | undefined
}

/** A token that is not renewed. */
interface TokenAccount extends AnyAccount {
  readonly accessToken: string
}

/** The login of another program, which may use it as well. */
export interface LoginAccount extends AnyAccount {
  /** Its file. */
  readonly login: string
}

/** A sign-in of the gateway's own. */
export interface SsoAccount extends AnyAccount {
  readonly sso: z.infer<typeof sso>
}

/** Credentials that requests are signed with. */
export interface AwsAccount extends AnyAccount {
  /** Which ones; `true` for those that AWS's own tools would take. */
  readonly aws: true | z.infer<typeof aws>
}

const WAYS = ['accessToken', 'login', 'sso', 'aws'] as const

/** The accounts as the configuration means them, of a configuration without mistakes. */
export function accountsOf(settings: AmazonQConfig): readonly Account[] {
  const { accessToken, accounts = accessToken ? [{ name: 'default', accessToken }] : [] } = settings
  return accounts.map(account => toAccount(account, settings))
}

function toAccount(account: z.infer<typeof accountSchema>, settings: AmazonQConfig): Account {
  const { name, profileArn, owner, shared = false, region = settings.region } = account
  const known = { name, profileArn, region, owner: shared ? undefined : owner }
  if (account.login !== undefined) return { ...known, login: account.login }
  if (account.sso !== undefined) return { ...known, sso: account.sso }
  if (account.aws !== undefined) return { ...known, aws: account.aws }
  return { ...known, accessToken: account.accessToken ?? '' }
}

/** What no member shows alone. */
export function mistakesIn({ accessToken, accounts }: AmazonQConfig): readonly ConfigMistake[] {
  const mistakes: ConfigMistake[] = []
  const report = (path: ConfigMistake['path'], message: string): void => void mistakes.push({ path, message })

  if (accounts === undefined && !accessToken) report(['accessToken'], 'is missing: give a token, or `accounts`')
  if (accounts !== undefined && accessToken)
    report(['accessToken'], 'must go into `accounts` as well, where there are any')
  const names = new Set<string>()
  for (const [at, account] of (accounts ?? []).entries()) {
    const path = ['accounts', at]
    if (names.has(account.name)) report([...path, 'name'], 'is the name of another account, too')
    names.add(account.name)
    const [way, other] = WAYS.filter(name => account[name])
    if (way === undefined) report(path, 'must have one of `accessToken`, `login`, `sso` and `aws`')
    else if (other !== undefined)
      report([...path, other], `does not go together with \`${way}\`: an account has one of them`)
    const isPersonal = account.login !== undefined || account.sso !== undefined
    if (account.shared !== undefined && account.owner === undefined && !isPersonal) {
      report([...path, 'shared'], 'is for the accounts of persons: all others serve everybody anyway')
    }
    if (account.aws === undefined) continue
    if (account.profileArn !== undefined)
      report([...path, 'profileArn'], 'is for sign-ins: an account with `aws` has none')
    if (account.aws !== true) checkKeys(account.aws, [...path, 'aws'], report)
  }
  return mistakes
}

function checkKeys(
  { profile, accessKeyId, secretAccessKey, sessionToken }: z.infer<typeof aws>,
  path: ConfigMistake['path'],
  report: (path: ConfigMistake['path'], message: string) => void,
): void {
  const isKey = accessKeyId !== undefined && secretAccessKey !== undefined
  const isPartOfKey = [accessKeyId, secretAccessKey, sessionToken].some(part => part !== undefined)
  if (profile !== undefined && isPartOfKey) report(path, 'must have either a `profile` or an access key')
  else if (profile === undefined && !isKey) {
    report(path, 'must have a `profile`, or `accessKeyId` and `secretAccessKey`, or be `true`')
  }
}
